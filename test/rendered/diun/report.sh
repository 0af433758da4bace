#!/bin/sh
# What DIUN calls for each tag that is new or has changed: one line in the container's log for what concerns the
# deployment, a tag newer than the deployed one or the deployed one rebuilt, and none for older tags.
set -eu
tag=${DIUN_ENTRY_IMAGE##*:}
deployed=$DIUN_ENTRY_METADATA_DEPLOYED
case $DIUN_ENTRY_STATUS in
new)
  [ "$tag" != "$deployed" ] || exit 0
  [ "$(printf '%s\n' "$deployed" "$tag" | sort -V | tail -n 1)" = "$tag" ] || exit 0
  message="a newer version is out: $tag"
  ;;
update)
  [ "$tag" = "$deployed" ] || exit 0
  message="the deployed version was rebuilt: $tag is now $DIUN_ENTRY_DIGEST"
  ;;
*) exit 0 ;;
esac
# DIUN discards a script's own output.
printf '{"level":"warn","service":"%s","image":"%s","deployed":"%s","message":"%s"}\n' \
  "$DIUN_ENTRY_METADATA_SERVICE" "$DIUN_ENTRY_IMAGE" "$deployed" "$message" >/proc/1/fd/1
