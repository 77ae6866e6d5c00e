// Declares mm_init itself, which so has a name of C++.

extern void mm_init();

int main() {
  mm_init();
  return 0;
}
