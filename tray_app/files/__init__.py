"""How files are read and written so that nothing is lost and nobody else can read them."""
