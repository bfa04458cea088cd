/** The shape of a sound work, drawn over its still with the playhead in it: to look at, not to operate. */

const BAR_PX = 3;
const GAP_PX = 2;

/**
 * @param {HTMLElement} stage
 * @param {HTMLVideoElement} video
 * @param {string} url of the peaks: one unsigned byte each, evenly spaced over the whole work
 * @param {AbortSignal} signal
 */
export async function draw(stage, video, url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) return;
  const peaks = new Uint8Array(await response.arrayBuffer());
  if (!peaks.length) return;
  const canvas = document.createElement("canvas");
  canvas.className = "player-waveform";
  canvas.setAttribute("aria-hidden", "true");
  stage.append(canvas);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let frame = 0;

  function paint() {
    const { clientWidth: width, clientHeight: height } = canvas;
    const density = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const [played, rest] = [style.getPropertyValue("--played") || "#fff", style.getPropertyValue("--rest") || "#fff8"];
    const bars = Math.max(1, Math.floor(width / (BAR_PX + GAP_PX)));
    const done = video.duration ? video.currentTime / video.duration : 0;
    for (let i = 0; i < bars; i += 1) {
      const from = Math.floor((i / bars) * peaks.length);
      const to = Math.max(from + 1, Math.floor(((i + 1) / bars) * peaks.length));
      let loudest = 0;
      for (let p = from; p < to; p += 1) loudest = Math.max(loudest, peaks[p]);
      const tall = Math.max(2, (loudest / 255) * height);
      context.fillStyle = (i + 0.5) / bars <= done ? played : rest;
      context.fillRect(i * (BAR_PX + GAP_PX), (height - tall) / 2, BAR_PX, tall);
    }
    context.fillStyle = played;
    context.fillRect(done * width - 0.5, 0, 1.5, height);
  }

  function run() {
    cancelAnimationFrame(frame);
    paint();
    // With reduced motion the playhead steps with the clock instead of gliding.
    if (!video.paused && !still.matches && !document.hidden) frame = requestAnimationFrame(run);
  }

  const on = { signal };
  for (const event of ["play", "playing", "pause", "seeked", "timeupdate", "durationchange"]) {
    video.addEventListener(event, run, on);
  }
  const resized = new ResizeObserver(run);
  resized.observe(canvas);
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    canvas.remove();
  });
  run();
}
