/* Ends well. */

int main(void) { return 0; }
