// The captions on the page: finals as paragraphs, then the partial.

/** How far from the end, in pixels, a reader counts as reading along. */
const NEAR_END = 48;

export class Captions {
  #following = true;

  constructor(page) {
    this.page = page;
    page.captions.addEventListener("scroll", () => this.#follow(this.#distance() < NEAR_END));
    page.latest.addEventListener("click", () => {
      this.#follow(true);
      this.#scroll();
      page.captions.focus({ preventScroll: true });
    });
    const observer = new ResizeObserver(() => this.#scroll());
    for (const element of [page.captions, page.finals, page.partial]) observer.observe(element);
  }

  /** Appends the paragraph of a final. */
  add(text) {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    this.page.finals.append(paragraph);
    this.#drawn();
  }

  /** Shows the text of the utterances that have no final yet. */
  set partial(text) {
    this.page.partial.textContent = text;
    this.#drawn();
  }

  clear() {
    this.page.finals.replaceChildren();
    this.#follow(true);
    this.#drawn();
  }

  /** Invites to speak, in the place of the introduction, until there is something to read. */
  set listening(listening) {
    this.active = listening;
    this.#drawn();
  }

  #drawn() {
    const { finals, partial, prompt, welcome } = this.page;
    const empty = !finals.hasChildNodes() && partial.textContent === "";
    welcome.hidden = this.active || !empty;
    prompt.hidden = !this.active || !empty;
    this.#scroll();
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.page.captions;
    return scrollHeight - scrollTop - clientHeight;
  }

  #scroll() {
    if (this.#following) this.page.captions.scrollTop = this.page.captions.scrollHeight;
  }

  #follow(following) {
    this.#following = following;
    this.page.latest.hidden = following;
  }
}
