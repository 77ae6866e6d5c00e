// Declares mm_init itself, so its name is mangled.

extern void mm_init();

int main() {
  mm_init();
  return 0;
}
