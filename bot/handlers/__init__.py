"""One kind of arrival a file: finds the dialog it belongs to. Imports no adapter and no platform."""
