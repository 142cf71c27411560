#!/usr/bin/env bash
# Installs the browser that the tests marked `browser` drive. Nothing but those tests needs it.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null; then
    echo "found $(command -v "$name")"
    exit 0
  fi
done

say_what_to_install() {
  echo "The browser tests need Chromium or Google Chrome on the PATH; the other tests run without it." >&2
  echo "Debian and Ubuntu: sudo apt-get install chromium    Fedora: sudo dnf install chromium" >&2
  echo "Arch: sudo pacman -S chromium    macOS: brew install --cask chromium" >&2
}

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  say_what_to_install
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; then
  command -v chromium
else
  say_what_to_install
  exit 1
fi
