/** Takes pages of a database in any order. */
export interface PageSink {
  /**
   * Takes the page, which is the caller's again when the call, or the promise that it returned, is done. A promise
   * is returned only where the sink is behind, so that most pages cost no turn of the event loop.
   */
  writePage(pgno: number, data: Uint8Array): Promise<void> | undefined
}
