"""What a person or a service may do: role check, change and audit in one transaction."""
