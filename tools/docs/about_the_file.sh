#!/bin/sh
# For Doxygen: a header whose first comment, written with "//", is about the whole file.
awk 'NR == 1 && /^\/\// { print "/// @file"; head = 1 }
     head && /^\/\// { sub(/^\/\//, "///"); print; next }
     { head = 0; print }' "$1"
