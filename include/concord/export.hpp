// Marks what the library promises: everything else in it is invisible to other programs.
#pragma once

/// Stands before each public class with members outside the headers, and before each such function.
#define CONCORD_API [[gnu::visibility("default")]]

/// Stands before the function templates of such a class: each program compiles them for itself, and none shows them to others.
#define CONCORD_LOCAL [[gnu::visibility("hidden")]]
