/* The sum over all paths of sequence_loss.py, forward and backward, without PyTorch's small operations.
 *
 * A state is the last two phones, and whether the last frame was the last phone or a blank (phone 0). Rows of `width` values, a
 * multiple of 16, hold `phones` and zeros, so that the inner loops are whole vectors. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const float *trigram; /* [last][before][next], rows of `width` */
    int phones, width;
} Graph;

/* What may have been said by a frame: states [before][last] that end in a phone and in a blank. */
typedef struct {
    float *on_phone, *on_blank;
} States;

static States states_at(float *memory, size_t frame, Graph graph) {
    size_t size = (size_t)graph.phones * graph.width;
    float *first = memory + 2 * size * frame;
    return (States){first, first + size};
}

/* One frame on, scaled to a sum of one; gives the scale. */
static double advance(Graph graph, States from, const float *probs, States to, float *begun) {
    const int phones = graph.phones, width = graph.width;
    double scale = 0;
    for (int last = 0; last < phones; last++) {
        memset(begun, 0, width * sizeof(float));
        float repeated = 0;
        for (int before = 0; before < phones; before++) {
            const float on_phone = from.on_phone[before * width + last];
            const float either = on_phone + from.on_blank[before * width + last];
            if (either < 1e-20f) continue;
            const float *next = graph.trigram + ((size_t)last * phones + before) * width;
            for (int phone = 0; phone < width; phone++) begun[phone] += either * next[phone];
            repeated += on_phone * next[last];
        }
        /* A phone repeated without a blank between only goes on. */
        begun[last] = fmaxf(begun[last] - repeated, 0);
        float sum = 0;
        for (int phone = 0; phone < width; phone++) {
            const size_t at = (size_t)last * width + phone;
            to.on_phone[at] = (begun[phone] + from.on_phone[at]) * probs[phone];
            to.on_blank[at] = (from.on_phone[at] + from.on_blank[at]) * probs[0];
            sum += to.on_phone[at] + to.on_blank[at];
        }
        scale += sum;
    }
    scale = fmax(scale, 1e-30);
    const float inverse = 1 / scale;
    for (int at = 0; at < phones * width; at++) {
        to.on_phone[at] *= inverse;
        to.on_blank[at] *= inverse;
    }
    return scale;
}

/* From what follows each state after a frame to what follows before it; `ahead` is room for as many values. */
static void retreat(Graph graph, States after, const float *probs, States before_it, float *ahead) {
    const int phones = graph.phones, width = graph.width;
    double sum = 0;
    for (int before = 0; before < phones; before++) {
        for (int phone = 0; phone < width; phone++) ahead[before * width + phone] = probs[phone] * after.on_phone[before * width + phone];
    }
    for (int last = 0; last < phones; last++) {
        for (int before = 0; before < phones; before++) {
            const float *next = graph.trigram + ((size_t)last * phones + before) * width;
            const size_t at = (size_t)before * width + last;
            float begun = 0;
            for (int phone = 0; phone < width; phone++) begun += next[phone] * ahead[last * width + phone];
            before_it.on_blank[at] = probs[0] * after.on_blank[at] + begun;
            before_it.on_phone[at] = fmaxf(before_it.on_blank[at] + ahead[at] - next[last] * ahead[last * width + last], 0);
            sum += before_it.on_blank[at];
        }
    }
    const float scale = sum > 1e-30 ? phones * phones / sum : 1;
    for (int at = 0; at < phones * width; at++) {
        before_it.on_phone[at] *= scale;
        before_it.on_blank[at] *= scale;
    }
}

/* The share of each phone in the frame's paths. */
static void occupy(Graph graph, States reached, States follows, float *shares) {
    double sum = 0;
    memset(shares, 0, graph.phones * sizeof(float));
    float blank = 0;
    for (int before = 0; before < graph.phones; before++) {
        const size_t row = (size_t)before * graph.width;
        for (int phone = 0; phone < graph.phones; phone++) {
            shares[phone] += reached.on_phone[row + phone] * follows.on_phone[row + phone];
            blank += reached.on_blank[row + phone] * follows.on_blank[row + phone];
        }
    }
    shares[0] += blank;
    for (int phone = 0; phone < graph.phones; phone++) sum += shares[phone];
    for (int phone = 0; phone < graph.phones; phone++) shares[phone] /= fmax(sum, 1e-30);
}

/* probs [frame][phones] → shares of the same shape; gives the logarithm of the sum. */
static double sum_paths(Graph graph, const float *probs, int frames, float *shares) {
    const int phones = graph.phones, width = graph.width;
    const size_t size = (size_t)phones * width;
    /* The states before each frame and after the last, two more to go back with, and rows. */
    float *memory = calloc(2 * size * (frames + 3) + size + width, sizeof(float));
    float *row = memory + 2 * size * (frames + 3), *ahead = row + width;
    double total = 0;
    states_at(memory, 0, graph).on_blank[0] = 1;
    for (int frame = 0; frame < frames; frame++) {
        memcpy(row, probs + (size_t)frame * phones, phones * sizeof(float));
        total += log(advance(graph, states_at(memory, frame, graph), row, states_at(memory, frame + 1, graph), ahead));
    }
    States follows = states_at(memory, frames + 1, graph), earlier = states_at(memory, frames + 2, graph);
    for (size_t at = 0; at < size; at++) follows.on_phone[at] = follows.on_blank[at] = at % width < (size_t)phones;
    for (int frame = frames - 1; frame >= 0; frame--) {
        occupy(graph, states_at(memory, frame + 1, graph), follows, shares + (size_t)frame * phones);
        memcpy(row, probs + (size_t)frame * phones, phones * sizeof(float));
        retreat(graph, follows, row, earlier, ahead);
        const States later = follows;
        follows = earlier;
        earlier = later;
    }
    free(memory);
    return total;
}

/* Sequences laid end to end, each of lengths[i] frames. */
void log_partition(const float *trigram, int phones, int width, const float *probs, const int *lengths, int count, float *shares, double *sums) {
    const Graph graph = {trigram, phones, width};
    int *first = malloc((count + 1) * sizeof(int));
    first[0] = 0;
    for (int i = 0; i < count; i++) first[i + 1] = first[i] + lengths[i];
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < count; i++) {
        const size_t at = (size_t)first[i] * phones;
        sums[i] = sum_paths(graph, probs + at, lengths[i], shares + at);
    }
    free(first);
}
