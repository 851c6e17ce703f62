/* A driver's library from before most of what talweg calls. */
int cuInit(unsigned flags);
int cuDriverGetVersion(int* version);

int cuInit(unsigned flags) { return flags == 0 ? 0 : 1; }

int cuDriverGetVersion(int* version) {
  *version = 10020;
  return 0;
}
