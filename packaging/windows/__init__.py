"""The Windows bundle and its installer, made and driven on Debian under Wine."""
