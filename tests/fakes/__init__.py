"""Wire fakes: the platforms as the libraries see them, over real HTTP on loopback."""
