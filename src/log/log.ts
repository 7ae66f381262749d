/** Where a run's log goes; text comes with its newlines. The stages produce text, only the command line decides where it ends. */
export interface LogSink {
  write(text: string): void;
}
