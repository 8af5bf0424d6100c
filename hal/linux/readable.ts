/**
 * Notices that a descriptor has something to read, in a thread with a loop that must not block: libuv's own watcher, which Node
 * offers to native packages alone. The one of the serial lines' package serves.
 */

/** Stops. The descriptor is closed after this, never before. */
export type StopWatching = () => void;

/**
 * @param onReadable called in a turn of the loop of its own when there is something to read, or an error to be read; again and again
 * as long as there is.
 */
export async function watchReadable(handle: number, onReadable: () => void): Promise<StopWatching> {
  // Loaded where there is something to watch: most commands have nothing.
  const { Poller } = await import('@serialport/bindings-cpp/dist/poller.js');
  const poller = new Poller(handle);
  let watching = true;
  const wait = (): void => {
    poller.once('readable', () => {
      if (watching) onReadable();
      if (watching) wait();
    });
  };
  wait();
  return () => {
    if (!watching) return;
    watching = false;
    poller.stop();
    poller.destroy();
  };
}
