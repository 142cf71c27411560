"""The Streamlit app where people review."""
