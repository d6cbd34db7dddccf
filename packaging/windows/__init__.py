"""What a release for Windows is, beside the program: its installer, its manifest, and the check of its files."""
