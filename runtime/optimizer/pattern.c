/* See pattern.h. */
#include "runtime/optimizer/pattern.h"

int talweg_matches(const char* pattern, const char* name) {
  /* Where the last `*` stands, and how much of the name it stands for so far. */
  const char* star = 0;
  const char* after_star = 0;
  while (*name) {
    if (*pattern == '*') {
      star = pattern++;
      after_star = name;
    } else if (*pattern && (*pattern == '?' || *pattern == *name)) {
      ++pattern;
      ++name;
    } else if (star) {
      pattern = star + 1;
      name = ++after_star;
    } else {
      return 0;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}
