"""What every stage needs of text: sentences, terms, weighted length, languages, near-duplicates."""
