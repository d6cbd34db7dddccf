#!/bin/sh
# Installs Claude NVIDIA Tray for you alone, without root: into the menu of your desktop, and as a command.
# To update, run the new version's install.sh. `install.sh --remove` takes it away again; your settings stay.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
program=$HOME/.local/lib/claude-nvidia-tray
command=$HOME/.local/bin/claude-nvidia-tray
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/claude-nvidia-tray.desktop

remove() {
  rm -rf "$program" "$command" "$entry"
  rm -f "$data"/icons/hicolor/*/apps/claude-nvidia-tray.png
}

case $* in
  "") ;;
  --remove)
    # Claude Code's own settings must not lead to a program that is gone.
    if [ -x "$program/claude-nvidia-tray" ]; then "$program/claude-nvidia-tray" undo >/dev/null || true; fi
    rm -f "${XDG_CONFIG_HOME:-$HOME/.config}/autostart/claude-nvidia-tray.desktop"
    remove; echo "Claude NVIDIA Tray is removed; your settings are kept."; exit ;;
  *) sed -n '2,3s/^# //p' "$0"; exit 2 ;;
esac

if [ "$here" = "$program" ]; then
  echo "This copy is the installed one. Run the install.sh of the version that you want to install."
  exit 1
fi
mkdir -p "$HOME/.local/lib" "$HOME/.local/bin" "$data/applications" "$data/icons"
rm -rf "$program.new"
cp -R "$here" "$program.new"
remove
mv "$program.new" "$program"
ln -s "$program/claude-nvidia-tray" "$command"
cp -R "$program/share/icons/hicolor" "$data/icons/"
touch "$data/icons/hicolor" # a newer date than its cache's has a desktop look
# By its full path: not every desktop looks for commands in ~/.local/bin.
while IFS= read -r line; do
  case $line in
    Exec=claude-nvidia-tray*) line="Exec=\"$command\"${line#Exec=claude-nvidia-tray}" ;;
  esac
  printf '%s\n' "$line"
done <"$program/share/applications/claude-nvidia-tray.desktop" >"$entry"

echo "Claude NVIDIA Tray is in the menu of your desktop; its command is $command."
echo "To remove it: $program/install.sh --remove"
