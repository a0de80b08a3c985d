// The page of `arvot demo`. Frames and answers come over a WebSocket; all that is asked for is a POST.
// Coordinates are those of the frame, in pixels, wherever a frame is drawn.

const $ = (selector) => document.querySelector(selector);
const COLORS = ["255 120 0", "40 140 255"];
const KEPT_PICTURES = 48;
const CLICK = 4; // px on the screen that a pointer may move in a click
const GRIP = 12; // px on the screen around an edge of a box that hold on to it
const DRAWING = "Drawing the sequence";
const BUSY = new Set(["loading", "tracking"]);

const app = {
  page: null,
  socket: null,
  state: { phase: "empty", clip: null, first: null, next: null, marks: {}, lanes: [], message: "" },
  found: new Map(), // frame -> an answer for each tracker
  pictures: new Map(), // frame -> ImageBitmap, the newest last
  frame: 0, // that is shown
  picture: null,
  draft: null, // { frame, box, outlines, proposals, chosen, point }
  drag: null,
  playing: false,
  waiting: "", // for what, while the page itself waits
  live: null, // { stream, video, sending, preview }
};
const views = [...document.querySelectorAll(".view")].map((figure) => ({
  figure,
  canvas: figure.querySelector("canvas"),
  confidence: figure.querySelector(".confidence"),
  name: figure.querySelector(".tracker"),
}));
const selects = [$("#tracker-0"), $("#tracker-1")];

// ---------------------------------------------------------------- what is asked of the server

async function post(path, body) {
  const answer = await fetch(`api/${path}`, { method: "POST", body: body === undefined ? "{}" : JSON.stringify(body) });
  return read(answer);
}

async function read(answer) {
  const text = await answer.text();
  let fields = {};
  try { fields = JSON.parse(text); } catch { fields = { error: text.trim() }; }
  if (!answer.ok) throw new Error(fields.error || `the server answered ${answer.status}`);
  return fields;
}

const ask = (path, body) => post(`pages/${app.page}/${path}`, body);

async function attempt(work) {
  try {
    hideError();
    return await work();
  } catch (error) {
    showError(error.message === "Failed to fetch" ? "the server does not answer: is arvot demo still running?" : error.message);
    return undefined;
  }
}

function showError(text) {
  $("#error span").textContent = text;
  $("#error").hidden = false;
}
const hideError = () => { $("#error").hidden = true; };

async function openPage() {
  const known = JSON.parse(sessionStorage.getItem("arvot-demo") || "null");
  const opened = known || (await post("pages"));
  sessionStorage.setItem("arvot-demo", JSON.stringify(opened));
  app.page = opened.page;
  app.limit = opened.limit;
  fillMenus(opened);
  connect();
}

function fillMenus({ trackers, examples, limit }) {
  $("#limit").textContent = `${Math.round(limit / 1e6)} MB`;
  app.random = new Set(trackers.filter((entry) => entry.is_random).map((entry) => entry.name));
  const chosen = JSON.parse(sessionStorage.getItem("arvot-demo-trackers") || "null") || [trackers[0].name, ""];
  selects.forEach((select, lane) => {
    const here = trackers.filter((entry) => !entry.is_random);
    const untrained = trackers.filter((entry) => entry.is_random);
    select.replaceChildren();
    if (lane === 1) select.append(new Option("nothing", ""));
    for (const [label, entries] of [["", here], ["without their weights", untrained]]) {
      const parent = label ? Object.assign(document.createElement("optgroup"), { label }) : select;
      parent.append(...entries.map((entry) => new Option(entry.name, entry.name)));
      if (label && entries.length) select.append(parent);
    }
    select.value = chosen[lane];
  });
  const row = $("#examples");
  row.querySelectorAll("button").forEach((button) => button.remove());
  for (const name of examples) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: name });
    button.addEventListener("click", () => loadExample(name));
    row.append(button);
  }
}

function connect() {
  const address = new URL(`api/pages/${app.page}/events`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", (event) => take(event.data));
  socket.addEventListener("open", () => { hideError(); app.found.clear(); });
  socket.addEventListener("close", (event) => {
    if (event.code === 4410) {
      sessionStorage.removeItem("arvot-demo");
      attempt(openPage);
      return;
    }
    endCamera();
    showError("the connection is lost: is arvot demo still running? Trying again");
    setTimeout(connect, 1000);
  });
  app.socket = socket;
}

// ---------------------------------------------------------------- what the server tells

async function take(data) {
  const length = new DataView(data).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  for (const word of head.words) {
    if (word.state) takeState(word.state);
    else if (word.error) showError(word.error);
    else {
      app.found.set(word.frame, word.found);
      app.state.next = word.frame + 1;
      app.state.first ??= word.frame;
    }
  }
  if (head.picture !== null) {
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)]));
    keepPicture(head.picture, picture);
    if (isFollowing()) showNow(head.picture, picture);
  }
  render();
  pump();
}

function takeState(state) {
  const before = app.state;
  const isNew = state.clip && (!before.clip || before.clip.name !== state.clip.name || (state.phase === "ready" && before.phase === "reading")
    || (state.clip.count === 0 && before.clip.count > 0));
  app.state = state;
  for (const frame of [...app.found.keys()]) {
    if (state.first === null || frame < state.first || frame >= state.next) app.found.delete(frame);
  }
  if (isNew) startClip();
  // The last frames may have come without a picture.
  else if (BUSY.has(before.phase) && !BUSY.has(state.phase) && state.next !== null && !app.drag && !app.draft) show(state.next - 1);
  if (state.phase === "failed" && before.phase !== "failed") showError(state.message);
}

function startClip() {
  app.pictures.clear();
  app.draft = null;
  app.playing = false;
  app.picture = null;
  const { first, next } = app.state;
  if (app.state.clip.count > 0) show(first === null ? 0 : next - 1);
}

const isFollowing = () => BUSY.has(app.state.phase) && !app.draft && !app.drag;
const isTwo = () => Boolean(selects[1].value) || app.state.lanes.length > 1;
const count = () => app.state.clip?.count ?? 0;

// ---------------------------------------------------------------- frames

function keepPicture(frame, picture) {
  app.pictures.delete(frame);
  app.pictures.set(frame, picture);
  if (app.pictures.size > KEPT_PICTURES) app.pictures.delete(app.pictures.keys().next().value);
}

function showNow(frame, picture) {
  app.frame = frame;
  app.picture = picture;
  if (app.live) app.live.preview = false;
}

async function show(frame) {
  if (!count()) return;
  frame = Math.min(Math.max(frame, 0), count() - 1);
  app.frame = frame;
  if (app.live) app.live.preview = false;
  let picture = app.pictures.get(frame);
  if (!picture) {
    render();
    const clip = app.state.clip;
    const answer = await fetch(`api/pages/${app.page}/frames/${frame}`);
    if (!answer.ok) return void read(answer).catch((error) => showError(error.message));
    picture = await createImageBitmap(await answer.blob());
    if (clip.name !== app.state.clip?.name) return;
    keepPicture(frame, picture);
  }
  if (frame === app.frame) {
    app.picture = picture;
    render();
  }
}

async function step(by) {
  await stop();
  await show(app.frame + by);
}

async function stop() {
  app.playing = false;
  if (!BUSY.has(app.state.phase)) return;
  await attempt(() => ask("pause"));
  await until(() => !BUSY.has(app.state.phase));
}

async function play() {
  app.playing = true;
  app.draft = null;
  if (app.frame >= count() - 1) await show(0);
  let due = performance.now();
  while (app.playing && app.frame < count() - 1) {
    const pause = 1000 / app.state.clip.fps;
    due = Math.max(due + pause, performance.now() - pause);
    await show(app.frame + 1);
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
  }
  app.playing = false;
  render();
}

function pauseOrGo() {
  const { phase, next } = app.state;
  if (BUSY.has(phase) || app.playing) return void stop().then(render);
  if (phase === "paused" && app.frame === next - 1 && !app.draft) return void go();
  play();
}

// ---------------------------------------------------------------- tracking

const chosenTrackers = () => selects.map((select) => select.value).filter(Boolean);

async function go() {
  const { phase } = app.state;
  if (BUSY.has(phase)) return stop();
  app.playing = false;
  const trackers = chosenTrackers();
  const isSame = trackers.join() === app.state.lanes.map((lane) => lane.tracker).join();
  const draft = app.draft;
  await attempt(async () => {
    if (draft) {
      const target = draft.chosen === null ? { box: draft.box } : { proposal: draft.chosen };
      if (app.live) await until(() => count() > draft.frame);
      // Frames may come before the answer to this: they are to be shown.
      app.draft = null;
      await ask("start", { trackers, frame: draft.frame, ...target }).catch((error) => {
        app.draft = draft;
        throw error;
      });
    } else if (phase === "paused" && isSame) {
      await ask("resume");
    } else {
      await ask("start", { trackers });
    }
  });
  render();
}

const again = () => attempt(() => ask("start", { trackers: chosenTrackers() }));

async function until(condition) {
  for (let tries = 0; tries < 100 && !condition(); tries++) await new Promise((done) => setTimeout(done, 50));
}

async function download(kind, button) {
  const name = button.textContent;
  button.disabled = true;
  button.textContent = "being written …";
  await attempt(async () => {
    const made = await ask(`downloads/${kind}`);
    const url = `api/pages/${app.page}/${made.url.split("/").map(encodeURIComponent).join("/")}`;
    Object.assign(document.createElement("a"), { href: url, download: made.name }).click();
  });
  button.textContent = name;
  render();
}

// ---------------------------------------------------------------- videos and the webcam

async function upload(file) {
  if (!file) return;
  if (file.size > app.limit) return showError(`the video is larger than ${app.limit / 1e6} MB: cut it, or start arvot demo with a larger --max-upload`);
  endCamera();
  await stop();
  const address = `api/pages/${app.page}/video?name=${encodeURIComponent(file.name)}`;
  await wait("Sending the video", () => new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.upload.addEventListener("progress", (event) => { if (app.waiting) busy(app.waiting, event.loaded / event.total); });
    request.addEventListener("error", () => fail(new Error("the upload was cut off: is arvot demo still running?")));
    request.addEventListener("load", () => {
      if (request.status < 400) return done();
      let text = request.responseText;
      try { text = JSON.parse(text).error; } catch { /* a line of its own */ }
      fail(new Error(text));
    });
    request.send(file);
  }));
}

async function loadExample(name) {
  endCamera();
  await stop();
  await wait(DRAWING, () => ask("example", { name }));
}

async function wait(text, work) {
  app.waiting = text;
  render();
  await attempt(work);
  app.waiting = "";
  render();
}

function busy(text, part) {
  $("#busy").hidden = !text;
  $("#busy-text").textContent = text;
  const bar = $("#busy-bar");
  if (part === undefined || part >= 1) bar.removeAttribute("value");
  else bar.value = part;
}

async function startCamera() {
  if (app.live) return endCamera();
  if (!navigator.mediaDevices) return showError("the browser gives webcams to https and localhost alone: use ssh -L 7860:127.0.0.1:7860 MACHINE");
  await stop();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, facingMode: "environment" }, audio: false });
  } catch (error) {
    return showError(`the webcam cannot be used: ${error.message || error.name}`);
  }
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  const started = await attempt(async () => {
    await ask("recording", { fps: stream.getVideoTracks()[0].getSettings().frameRate || 30 });
    return true;
  });
  if (!started) return stream.getTracks().forEach((track) => track.stop());
  app.live = { stream, video, sending: -1, preview: true };
  app.draft = null;
  app.picture = null;
  render();
  const draw = () => {
    if (!app.live) return;
    if (app.live.preview) drawViews();
    requestAnimationFrame(draw);
  };
  draw();
}

function endCamera() {
  if (!app.live) return;
  app.live.stream.getTracks().forEach((track) => track.stop());
  app.live = null;
  attempt(() => ask("recording/end"));
  if (count() && !BUSY.has(app.state.phase)) show(app.frame);
  render();
}

function snapshot() {
  const { video } = app.live;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas;
}

async function sendFrame() {
  const frame = count();
  if (app.live.sending === frame) return frame;
  app.live.sending = frame;
  const canvas = snapshot();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  const picture = await createImageBitmap(canvas);
  keepPicture(frame, picture);
  app.socket.send(await blob.arrayBuffer());
  return frame;
}

// While a webcam is tracked: a frame goes out when the one before it has been answered.
function pump() {
  if (app.live && app.state.phase === "tracking" && app.state.next !== null && app.state.next >= count()) sendFrame();
}

// ---------------------------------------------------------------- the box that is drawn

function place(event) {
  const area = views[0].canvas.getBoundingClientRect();
  const [width, height] = size();
  return {
    x: ((event.clientX - area.left) / area.width) * width,
    y: ((event.clientY - area.top) / area.height) * height,
    scale: width / area.width,
  };
}

function size() {
  if (app.live && !count()) return [app.live.video.videoWidth, app.live.video.videoHeight];
  return app.state.clip?.size ?? [16, 9];
}

// Which edges of the draft are at a place: -1 and 1 are the low and the high one, null is outside.
function grip({ x, y, scale }) {
  if (!app.draft || app.draft.frame !== app.frame) return null;
  const [bx, by, bw, bh] = app.draft.box;
  const reach = GRIP * scale;
  if (x < bx - reach || y < by - reach || x > bx + bw + reach || y > by + bh + reach) return null;
  const side = (value, low, length) => (Math.abs(value - low) < Math.min(reach, length / 3 + reach / 3) ? -1 : Math.abs(value - low - length) < Math.min(reach, length / 3 + reach / 3) ? 1 : 0);
  return { horizontal: side(x, bx, bw), vertical: side(y, by, bh) };
}

async function pointerDown(event) {
  if (event.button !== 0 || !(count() || app.live)) return;
  event.preventDefault();
  views[0].canvas.setPointerCapture(event.pointerId);
  const at = place(event);
  const held = grip(at);
  app.drag = { start: at, client: [event.clientX, event.clientY], held, box: app.draft?.box.slice(), moved: false, frozen: null };
  if (app.live?.preview) {
    app.live.preview = false;
    app.drag.frozen = sendFrame().then((frame) => showNow(frame, app.pictures.get(frame)));
  } else {
    await stop();
  }
}

function pointerMove(event) {
  if (!app.drag) return void setCursor(grip(place(event)));
  const { start, client, held, box } = app.drag;
  if (!app.drag.moved && Math.hypot(event.clientX - client[0], event.clientY - client[1]) < CLICK) return;
  app.drag.moved = true;
  const at = place(event);
  const dx = at.x - start.x;
  const dy = at.y - start.y;
  let edges = [start.x, start.y, at.x, at.y];
  if (held) {
    const [x, y, w, h] = box;
    const isMove = !held.horizontal && !held.vertical;
    edges = [
      x + (isMove || held.horizontal < 0 ? dx : 0), y + (isMove || held.vertical < 0 ? dy : 0),
      x + w + (isMove || held.horizontal > 0 ? dx : 0), y + h + (isMove || held.vertical > 0 ? dy : 0),
    ];
  }
  setDraft(edges);
}

async function pointerUp() {
  const drag = app.drag;
  if (!drag) return;
  await drag.frozen;
  if (drag.moved && app.draft) app.draft.frame = app.frame;
  app.drag = null;
  if (!drag.moved) await pointAt(drag.start);
  else if (app.draft && (app.draft.box[2] < 2 || app.draft.box[3] < 2)) app.draft = null;
  fillNumbers();
  render();
}

function setDraft([x1, y1, x2, y2]) {
  const [width, height] = size();
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  const left = clamp(Math.min(x1, x2), width);
  const top = clamp(Math.min(y1, y2), height);
  const box = [left, top, clamp(Math.max(x1, x2), width) - left, clamp(Math.max(y1, y2), height) - top].map(Math.round);
  app.draft = { frame: app.frame, box, outlines: [], proposals: [], chosen: null };
  render();
}

// A click: what the mask head finds there; another click on it: the next that may be meant.
async function pointAt({ x, y }) {
  const draft = app.draft;
  if (draft?.proposals.length > 1 && draft.frame === app.frame && isIn(draft.box, x, y)) {
    return choose(draft.proposals, (draft.chosen + 1) % draft.proposals.length);
  }
  if (app.live) await until(() => count() > app.frame);
  app.waiting = "Looking at this point";
  render();
  const answer = await attempt(() => ask("point", { frame: app.frame, x, y }));
  app.waiting = "";
  if (answer) choose(answer.proposals, 0);
}

const isIn = ([bx, by, bw, bh], x, y) => x >= bx && y >= by && x <= bx + bw && y <= by + bh;

function choose(proposals, chosen) {
  app.draft = { frame: app.frame, ...proposals[chosen], proposals, chosen };
}

function cancelDraft() {
  app.drag = null;
  app.draft = null;
  if (app.live && !BUSY.has(app.state.phase)) app.live.preview = true;
  fillNumbers();
  render();
}

function setCursor(held) {
  const both = held ? held.horizontal * held.vertical : 0;
  views[0].canvas.style.cursor = !held ? "crosshair" : both > 0 ? "nwse-resize" : both < 0 ? "nesw-resize"
    : held.horizontal ? "ew-resize" : held.vertical ? "ns-resize" : "move";
}

const numbers = ["x", "y", "w", "h"].map((name) => $(`#box-${name}`));

function fillNumbers() {
  numbers.forEach((input, at) => { input.value = app.draft ? Math.round(app.draft.box[at]) : ""; });
}

async function takeNumbers() {
  const [x, y, w, h] = numbers.map((input) => input.valueAsNumber);
  if (![x, y, w, h].every(Number.isFinite) || w <= 0 || h <= 0 || !count()) return;
  await stop();
  setDraft([x, y, x + w, y + h]);
}

// ---------------------------------------------------------------- drawing

function fit() {
  const [width, height] = size();
  const columns = isTwo() && matchMedia("(min-width: 44rem)").matches ? 2 : 1;
  const most = innerWidth < 992 ? innerHeight * (isTwo() ? 0.36 : 0.5) : innerHeight - $("#curve").clientHeight - 180;
  const ratio = Math.min($("#views").clientWidth / columns / width, Math.max(most, 160) / height);
  for (const { canvas } of views) {
    canvas.style.width = `${Math.floor(width * ratio)}px`;
    canvas.style.height = `${Math.floor(height * ratio)}px`;
    const dense = Math.min(devicePixelRatio, 2);
    const pixels = [Math.floor(width * ratio * dense), Math.floor(height * ratio * dense)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  }
}

function drawViews() {
  fit();
  const [width] = size();
  const source = app.live?.preview ? app.live.video : app.picture;
  views.forEach(({ canvas }, lane) => {
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#10141b";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (source) context.drawImage(source, 0, 0, canvas.width, canvas.height);
    const scale = canvas.width / width;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    if (app.live?.preview) return;
    const pixel = Math.min(devicePixelRatio, 2) / scale;
    const found = app.found.get(app.frame)?.[lane];
    const isRedrawn = app.draft && app.draft.frame === app.frame;
    if (found && !isRedrawn) drawFound(context, found, COLORS[lane], pixel);
    if (isRedrawn) drawDraft(context, pixel, lane === 0);
  });
}

function tracePath(outlines) {
  const path = new Path2D();
  for (const line of outlines) {
    path.moveTo(line[0], line[1]);
    for (let at = 2; at < line.length; at += 2) path.lineTo(line[at], line[at + 1]);
    path.closePath();
  }
  return path;
}

function drawOutlines(context, outlines, color, pixel) {
  const path = tracePath(outlines);
  context.fillStyle = `rgb(${color} / 0.38)`;
  context.fill(path, "evenodd");
  context.lineJoin = "round";
  for (const [style, width] of [["rgb(0 0 0 / 0.55)", 3.5], [`rgb(${color})`, 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width * pixel;
    context.stroke(path);
  }
}

function drawBox(context, [x, y, w, h], style, pixel, dash = []) {
  for (const [line, width] of [["rgb(0 0 0 / 0.55)", 4], [style, 2]]) {
    context.strokeStyle = line;
    context.lineWidth = width * pixel;
    context.setLineDash(dash.map((length) => length * pixel));
    context.strokeRect(x, y, w, h);
  }
  context.setLineDash([]);
}

function drawFound(context, found, color, pixel) {
  context.globalAlpha = found.lost ? 0.6 : 1;
  drawOutlines(context, found.outlines, color, pixel);
  context.globalAlpha = 1;
  drawBox(context, found.box, found.lost ? "#ff5a52" : `rgb(${color})`, pixel, found.lost ? [6, 5] : []);
}

function drawDraft(context, pixel, hasGrips) {
  const { box, outlines } = app.draft;
  const [x, y, w, h] = box;
  drawOutlines(context, outlines, "255 255 255", pixel);
  drawBox(context, box, "#fff", pixel);
  if (!hasGrips || app.drag) return;
  const side = 7 * pixel;
  for (const px of [x, x + w / 2, x + w]) {
    for (const py of [y, y + h / 2, y + h]) {
      if (px === x + w / 2 && py === y + h / 2) continue;
      context.fillStyle = "#fff";
      context.strokeStyle = "rgb(0 0 0 / 0.7)";
      context.lineWidth = pixel;
      context.fillRect(px - side / 2, py - side / 2, side, side);
      context.strokeRect(px - side / 2, py - side / 2, side, side);
    }
  }
}

function drawCurve() {
  const canvas = $("#curve");
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  const dense = Math.min(devicePixelRatio, 2);
  [canvas.width, canvas.height] = [width * dense, height * dense];
  const context = canvas.getContext("2d");
  context.scale(dense, dense);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const low = height - 14;
  const high = 14;
  const x = (frame) => curveX(frame, width);
  const y = (value) => low - value * (low - high);
  context.lineWidth = 1;
  context.font = "11px system-ui, sans-serif";
  for (const value of [0, 0.5, 1]) {
    context.strokeStyle = style("--line");
    context.beginPath();
    context.moveTo(EDGE, Math.round(y(value)) + 0.5);
    context.lineTo(width - 6, Math.round(y(value)) + 0.5);
    context.stroke();
    context.fillStyle = style("--soft");
    context.textBaseline = "middle";
    context.fillText(value === 0.5 ? ".5" : value, 4, y(value));
  }
  const frames = [...app.found.keys()].sort((a, b) => a - b);
  const half = Math.max(1, (x(1) - x(0)) / 2);
  const lanes = frames.length ? app.found.get(frames[0]).length : 0;
  for (let lane = 0; lane < lanes; lane++) {
    for (const frame of frames) {
      if (!app.found.get(frame)[lane]?.lost) continue;
      context.fillStyle = style("--lost-shade");
      context.fillRect(x(frame) - half, high, 2 * half, low - high);
      context.fillStyle = style("--lost");
      context.fillRect(x(frame) - half, low + 1 + 4 * lane, 2 * half, 3);
    }
    context.strokeStyle = `rgb(${COLORS[lane]})`;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    for (const frame of frames) {
      const confidence = app.found.get(frame)[lane]?.confidence;
      if (confidence !== null && confidence !== undefined) context.lineTo(x(frame), y(confidence));
    }
    context.stroke();
  }
  context.fillStyle = style("--ink");
  for (const frame of Object.keys(app.state.marks).map(Number)) diamond(context, x(frame), high - 6, 5);
  context.strokeStyle = style("--ink");
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x(app.frame), 2);
  context.lineTo(x(app.frame), height - 1);
  context.stroke();
}

const EDGE = 24;
const span = () => Math.max(count() - 1, app.live || app.state.clip?.open ? 59 : 1);
const curveX = (frame, width) => EDGE + (frame / span()) * (width - EDGE - 8);

function diamond(context, x, y, radius) {
  context.beginPath();
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.fill();
}

// ---------------------------------------------------------------- what the page shows

let isDue = false;
function render() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; renderNow(); });
}

function renderNow() {
  const { phase, clip, lanes } = app.state;
  const shown = app.live && phase === "empty" ? "ready" : phase === "reading" && !clip ? "empty" : phase;
  document.body.dataset.phase = shown;
  document.body.classList.toggle("drawing", Boolean(app.draft));
  $("#views").classList.toggle("two", isTwo());
  views[1].figure.hidden = !isTwo();
  renderBusy();
  if (shown === "empty") return;
  drawViews();
  drawCurve();
  renderViews();
  renderTime();
  renderPanel(phase, clip, lanes);
}

function renderBusy() {
  const { phase, progress } = app.state;
  if (phase === "reading" && progress) busy(`${app.waiting === DRAWING ? "Drawn" : "Read"} so far: ${progress} frames`);
  else if (app.waiting) { if ($("#busy").hidden || $("#busy-text").textContent !== app.waiting) busy(app.waiting); }
  else busy(phase === "loading" ? "Loading the tracker" : "");
}

function renderViews() {
  const found = app.live?.preview ? undefined : app.found.get(app.frame);
  views.forEach(({ figure, confidence, name }, lane) => {
    name.textContent = app.state.lanes[lane]?.tracker ?? selects[lane].value;
    const value = found?.[lane]?.confidence;
    confidence.textContent = value === undefined || value === null ? "" : value.toFixed(2);
    figure.classList.toggle("is-lost", Boolean(found?.[lane]?.lost));
  });
  document.body.classList.toggle("is-lost", Boolean(found?.some((one) => one.lost)));
}

function renderTime() {
  const isActive = BUSY.has(app.state.phase) || app.playing;
  $("#play").classList.toggle("is-active", isActive);
  $("#play").setAttribute("aria-label", isActive ? "Pause" : "Play");
  const word = Object.assign(document.createElement("span"), { className: "word", textContent: "frame " });
  $("#place").replaceChildren(...(count() ? [word, `${app.frame + 1} of ${count()}`] : ["live"]));
  for (const id of ["#first", "#back", "#play", "#forward", "#head"]) $(id).disabled = !count();
  const curve = $("#curve");
  const confidence = app.found.get(app.frame)?.[0]?.confidence;
  curve.setAttribute("aria-valuemax", Math.max(count(), 1));
  curve.setAttribute("aria-valuenow", app.frame + 1);
  curve.setAttribute("aria-valuetext", `${$("#place").textContent}${confidence === undefined || confidence === null ? "" : `, confidence ${confidence.toFixed(2)}`}`);
}

function renderPanel(phase, clip, lanes) {
  const isBusy = BUSY.has(phase) || phase === "reading";
  const trackers = chosenTrackers();
  const isSame = trackers.join() === lanes.map((lane) => lane.tracker).join();
  const hasMarks = Object.keys(app.state.marks).length > 0;
  const hasFound = app.found.size > 0;
  $("#status").textContent = describe(phase, isSame, hasMarks, hasFound);
  const button = $("#go");
  button.textContent = BUSY.has(phase) ? "Pause" : app.draft ? (hasFound ? "Correct here" : "Track") : phase === "paused" && isSame ? "Go on"
    : hasMarks ? (isSame ? "Track again" : "Track with this choice") : "Track";
  button.disabled = phase === "reading" || Boolean(app.drag) || !(BUSY.has(phase) || app.draft || hasMarks) || new Set(trackers).size < trackers.length;
  $("#again").disabled = isBusy || !hasMarks;
  selects.forEach((select) => { select.disabled = isBusy; });
  $("#random").hidden = !trackers.some((name) => app.random?.has(name));
  $("#clip-note").hidden = !clip?.note;
  $("#clip-note").textContent = clip?.note ?? "";
  $("#clip-name").textContent = app.live ? "webcam: draw a box at any time" : clip ? `${clip.name}, ${clip.size.join(" × ")} px, ${clip.count} frames, ${+clip.fps.toFixed(2)} fps` : "";
  $("#camera").textContent = app.live ? "End the webcam" : "Use the webcam";
  $("#choose").disabled = $("#camera").disabled = phase === "reading";
  document.querySelectorAll("#downloads button").forEach((download) => {
    const isMasks = download.dataset.kind === "masks" && !lanes.some((lane) => lane.masks);
    download.disabled = isBusy || !hasFound || isMasks;
    download.title = isMasks && hasFound ? "this tracker answers no masks" : "";
  });
}

function describe(phase, isSame, hasMarks, hasFound) {
  const { next, message } = app.state;
  const lost = app.found.get(app.frame)?.some((one) => one.lost);
  if (phase === "failed") return message;
  if (app.waiting) return `${app.waiting} …`;
  if (app.drag?.moved) return "Let go when the box holds the target";
  if (app.draft) {
    const more = app.draft.proposals.length > 1 ? " Click again for another part." : "";
    return `${hasFound ? `Correct from frame ${app.draft.frame + 1} on` : "Track this"}, or adjust the box.${more}`;
  }
  if (phase === "loading") return "Loading the tracker …";
  if (phase === "tracking") return lost ? `Lost at frame ${app.frame + 1}: pause, step back and draw a new box` : `Tracking, frame ${next ?? app.frame + 1}`;
  if (!hasMarks) return "Drag a box around the target, or click it. Any frame will do.";
  if (!isSame) return "Another tracker is chosen: track again from the first mark.";
  if (lost) return `Lost here, at frame ${app.frame + 1}. Draw a new box where it went wrong.`;
  if (phase === "finished") return "Finished. Step through it; a new box in any frame corrects it from there.";
  return `Paused after frame ${next}. Go on, or correct with a new box.`;
}

// ---------------------------------------------------------------- events

function bind() {
  for (const id of ["#choose", "#choose-here"]) $(id).addEventListener("click", () => $("#file").click());
  for (const id of ["#camera", "#camera-here"]) $(id).addEventListener("click", startCamera);
  $("#file").addEventListener("change", (event) => { upload(event.target.files[0]); event.target.value = ""; });
  $("#go").addEventListener("click", go);
  $("#again").addEventListener("click", again);
  $("#first").addEventListener("click", () => step(-app.frame));
  $("#back").addEventListener("click", () => step(-1));
  $("#play").addEventListener("click", pauseOrGo);
  $("#forward").addEventListener("click", () => step(1));
  $("#head").addEventListener("click", () => toHead());
  $("#error button").addEventListener("click", hideError);
  document.querySelectorAll("#downloads button").forEach((button) => button.addEventListener("click", () => download(button.dataset.kind, button)));
  selects.forEach((select) => select.addEventListener("change", () => {
    sessionStorage.setItem("arvot-demo-trackers", JSON.stringify(selects.map((each) => each.value)));
    if (new Set(chosenTrackers()).size < chosenTrackers().length) showError("choose two different trackers");
    else hideError();
    render();
  }));
  numbers.forEach((input) => input.addEventListener("change", takeNumbers));
  const canvas = views[0].canvas;
  canvas.addEventListener("pointerdown", pointerDown);
  canvas.addEventListener("pointermove", pointerMove);
  canvas.addEventListener("pointerup", pointerUp);
  canvas.addEventListener("pointercancel", cancelDraft);
  bindCurve();
  bindDrop();
  document.addEventListener("keydown", onKey);
  addEventListener("resize", render);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

const toHead = () => step((app.state.next === null ? count() : app.state.next) - 1 - app.frame);

function bindCurve() {
  const curve = $("#curve");
  const scrub = async (event) => {
    const area = curve.getBoundingClientRect();
    const part = (event.clientX - area.left - EDGE) / (area.width - EDGE - 8);
    const frame = Math.round(part * span());
    await stop();
    show(frame);
  };
  curve.addEventListener("pointerdown", (event) => { curve.setPointerCapture(event.pointerId); scrub(event); });
  curve.addEventListener("pointermove", (event) => { if (curve.hasPointerCapture(event.pointerId)) scrub(event); });
}

function bindDrop() {
  let depth = 0;
  const hasFile = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (by) => { depth = Math.max(0, depth + by); document.body.classList.toggle("dropping", depth > 0); };
  document.addEventListener("dragenter", (event) => { if (hasFile(event)) mark(1); });
  document.addEventListener("dragleave", (event) => { if (hasFile(event)) mark(-1); });
  document.addEventListener("dragover", (event) => { if (hasFile(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    mark(-depth);
    upload(event.dataTransfer.files[0]);
  });
}

function onKey(event) {
  const tag = event.target.tagName;
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(tag)) return;
  const onButton = tag === "BUTTON" || tag === "SUMMARY";
  const actions = {
    Escape: cancelDraft,
    ArrowLeft: () => step(event.shiftKey ? -10 : -1),
    ArrowRight: () => step(event.shiftKey ? 10 : 1),
    Home: () => step(-app.frame),
    End: toHead,
    " ": onButton ? null : pauseOrGo,
    Enter: onButton || $("#go").disabled || BUSY.has(app.state.phase) ? null : go,
  };
  const action = actions[event.key];
  if (!action || (!count() && event.key !== "Escape")) return;
  event.preventDefault();
  action();
}

bind();
attempt(openPage);
