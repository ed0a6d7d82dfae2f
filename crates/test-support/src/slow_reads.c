/* Preloaded into a gateway: delays or fails its reads of one file, as a slow or damaged disk does.
 *
 * SLOW_READS_OF is a part of the file's path. SLOW_READS_CONTROL names a file of three numbers: microseconds and the
 * error number of every read (0 for none), which a test changes at any time, and how many reads that concerned. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t (*pread_function)(int, void *, size_t, off64_t);

static pread_function real_pread64;
static volatile uint32_t *control;
static const char *part;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SLOW_READS_CONTROL");
    part = getenv("SLOW_READS_OF");
    real_pread64 = (pread_function)dlsym(RTLD_NEXT, "pread64");
    int file = path && part ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        fputs("slow reads: no control file\n", stderr);
        abort();
    }
    void *mapped = mmap(NULL, 12, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) {
        abort();
    }
    control = mapped;
}

static int is_of_file(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return strstr(path, part) != NULL;
}

ssize_t pread64(int file, void *buffer, size_t count, off64_t offset) {
    uint32_t microseconds = control[0], error = control[1];
    if ((microseconds || error) && is_of_file(file)) {
        __atomic_add_fetch(&control[2], 1, __ATOMIC_RELAXED);
        struct timespec pause = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};
        nanosleep(&pause, NULL);
        if (error) {
            errno = (int)error;
            return -1;
        }
    }
    return real_pread64(file, buffer, count, offset);
}
