/* Captions standard input: samples of 16 bits, little-endian, one channel, 16 kHz unless -r says otherwise.
 *
 *   cc captions.c $(pkg-config --cflags --libs mynah) -o captions
 *   arecord -q -f S16_LE -r 16000 -c 1 | ./captions
 *
 * Finals go to standard output, partials to the terminal's last line. Ctrl-C ends the last utterance.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <mynah.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 3200 };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

static int fail(const char *message) {
    fprintf(stderr, "captions: %s\n", message);
    return 1;
}

/* Prints what has been recognized so far. */
static MynahStatus show(MynahStream *stream) {
    int has_terminal = isatty(STDERR_FILENO);
    for (;;) {
        MynahEvent *event;
        MynahStatus status = mynah_stream_next_event(stream, &event);
        if (!event) return status;
        const char *text = mynah_event_formatted_text(event);
        if (has_terminal) fputs("\r\033[K", stderr);
        if (mynah_event_kind(event) == MYNAH_EVENT_FINAL) {
            if (*text) puts(text);
            fflush(stdout);
        } else if (has_terminal) {
            fprintf(stderr, "%.70s", text);
        }
        mynah_event_free(event);
    }
}

/* Recognizes standard input up to its end; returns the exit status. */
static int caption(MynahStream *stream) {
    unsigned char bytes[BLOCK_BYTES];
    int16_t samples[BLOCK_BYTES / 2];
    size_t waiting = 0;
    while (!interrupted) {
        ssize_t received = read(STDIN_FILENO, bytes + waiting, sizeof bytes - waiting);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0) return fail(strerror(errno));
        if (received == 0) break;
        waiting += (size_t)received;
        size_t count = waiting / 2;
        for (size_t i = 0; i < count; i++) {
            samples[i] = (int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        }
        /* Half a sample waits for its other half. */
        if (waiting % 2) bytes[0] = bytes[waiting - 1];
        waiting %= 2;
        if (mynah_stream_accept_i16(stream, samples, count) || show(stream)) return fail(mynah_error_message());
    }
    if (mynah_stream_finish(stream) || show(stream)) return fail(mynah_error_message());
    return 0;
}

int main(int argc, char **argv) {
    unsigned long rate = 16000;
    int option;
    while ((option = getopt(argc, argv, "r:")) != -1) {
        if (option != 'r') return 2;
        rate = strtoul(optarg, NULL, 10);
        if (rate > UINT32_MAX) rate = 0;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);

    MynahModel *model = NULL;
    MynahRecognizer *recognizer = NULL;
    MynahStream *stream = NULL;
    int failed = mynah_model_builtin(NULL, &model) || mynah_recognizer_new(model, NULL, &recognizer) ||
                 mynah_stream_new(recognizer, (uint32_t)rate, &stream);
    failed = failed ? fail(mynah_error_message()) : caption(stream);
    mynah_stream_free(stream);
    mynah_recognizer_free(recognizer);
    mynah_model_free(model);
    return failed;
}
