"""The business: it decides. Imports neither bot nor storage, and knows no platform and no database."""
