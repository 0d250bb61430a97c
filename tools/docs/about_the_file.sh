#!/bin/sh
# For Doxygen: a header whose first comment, written with "//", is about the whole file; and no namespace detail, which is nobody's to use
# (its lines stay, empty, so that numbers of lines are true).
awk 'NR == 1 && /^\/\// { print "/// @file"; head = 1 }
     head && /^\/\// { sub(/^\/\//, "///"); print; next }
     { head = 0 }
     /^namespace detail \{/ { hidden = 1 }
     { print hidden ? "" : $0 }
     /^}  \/\/ namespace detail/ { hidden = 0 }' "$1"
