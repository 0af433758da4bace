#!/usr/bin/env bash
# What upstream's script does as long as Qdrant is not killed while it starts: hands its options on.
exec ./qdrant "$@"
