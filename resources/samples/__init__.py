"""Sample episodes and posts written for this project, and nothing else."""
