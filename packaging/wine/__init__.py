"""How the Windows program is built, driven and tested on Debian, where there is no Windows: under Wine."""
