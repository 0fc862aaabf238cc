// The one translation unit that compiles toml++ itself.
#define TOML_IMPLEMENTATION
#include "rules/toml_reader.hpp"
