/* Lends what stands for the system a buffer for a line of stderr, which it logs: so a
 * crash tells what was written there. Written by `idr rule build`; changes are lost. */
#include <stddef.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("adapter_keep_stderr")))
void keep_stderr(char *buffer, size_t capacity);

static char line[1000];

__attribute__((constructor)) static void begin(void) { keep_stderr(line, sizeof(line)); }
