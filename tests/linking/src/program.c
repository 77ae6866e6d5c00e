/* The probe in a program of C. */
#include <stddef.h>
#include <stdio.h>

size_t mm_test_linking(void);

int main(void)
{
    printf("%zu\n", mm_test_linking());
    return 0;
}
