@echo off
rem A double click starts the program from this checkout. The window closes once it runs; the icon is in the tray.
cd /d "%~dp0.."
set python=py -3
where /q py || set python=python
%python% packaging\dev.py run --version && start "" .venv\Scripts\pythonw.exe -m tray_app && exit /b
pause
