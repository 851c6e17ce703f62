/* Patterns of names. C11. */
#ifndef TALWEG_OPTIMIZER_PATTERN_H
#define TALWEG_OPTIMIZER_PATTERN_H

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if `pattern` matches all of `name`: `*` stands for any bytes, `?` for any one; else 0. */
int talweg_matches(const char* pattern, const char* name);

#ifdef __cplusplus
}
#endif

#endif
