// Marks what the library promises: everything else in it is invisible to other programs.
#pragma once

/// Stands before each public class with members outside the headers, and before each such function.
#define CONCORD_API [[gnu::visibility("default")]]
