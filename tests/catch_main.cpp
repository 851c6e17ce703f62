// The one slow Catch2 translation unit, shared by every test program.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
