/* Prints the text of an audio file.
 *
 *   cc transcribe.c $(pkg-config --cflags --libs mynah) -o transcribe && ./transcribe speech.flac
 */
#include <mynah.h>
#include <stdio.h>

int main(int argc, char **argv) {
    MynahModel *model = NULL;
    MynahRecognizer *recognizer = NULL;
    char *text = NULL;
    int failed = mynah_model_builtin(NULL, &model) || mynah_recognizer_new(model, NULL, &recognizer) ||
                 mynah_transcribe_file(recognizer, argc > 1 ? argv[1] : NULL, &text);
    if (text) puts(text);
    if (failed) fprintf(stderr, "transcribe: %s\n", mynah_error_message());
    mynah_string_free(text);
    mynah_recognizer_free(recognizer);
    mynah_model_free(model);
    return failed;
}
