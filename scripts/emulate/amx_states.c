/* A kernel module for the emulated machine: lets programs use AMX's tiles. Linux does so only where a processor has extended
   feature disable (XFD), which Bochs does not emulate. One program uses tiles at a time there, so that nobody needs to save
   them. */
#include <linux/module.h>

enum { TILES = 3 << 17 }; /* states 17 and 18 of XCR0 */

static int __init amx_states_init(void)
{
    u32 low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    asm volatile("xsetbv" : : "a"(low | TILES), "d"(high), "c"(0));
    return 0;
}

static void __exit amx_states_exit(void)
{
}

module_init(amx_states_init);
module_exit(amx_states_exit);
MODULE_DESCRIPTION("AMX for programs");
MODULE_LICENSE("GPL");
