/* Lets the clocks of a process jump: the file CLOCK_JUMPS holds the seconds that are added to the clock of the day, and to the clock that
   counts while the machine is suspended. Loaded before the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, time);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) {
        long realtime = 0, boottime = 0;
        const char *path = getenv("CLOCK_JUMPS");
        FILE *file = path ? fopen(path, "r") : NULL;
        if (file) {
            if (fscanf(file, "%ld %ld", &realtime, &boottime) != 2)
                realtime = boottime = 0;
            fclose(file);
        }
        time->tv_sec += clock == CLOCK_REALTIME ? realtime : boottime;
    }
    return status;
}
