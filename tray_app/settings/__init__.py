"""What the user chose: values, the file that holds them, and the keys."""
