// The page's state and the small things that every part of it needs. Text only ever enters the page through textContent.

const data = JSON.parse(document.getElementById('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';

// One close from its row in the data: see data.rs, CloseRow.
function close(row, index) {
  const text = (number) => (number === null ? '' : data.strings[number]);
  const [id, at, low, high, digits, name, client, server, label, confidence, initiator, outcome, after, incident] = row;
  const cause = text(label);
  return {
    index, at, low, high, digits, after, incident,
    id: text(id), name: text(name), client: text(client), server: text(server), label: cause, cause: cause.split('/')[0],
    confidence: text(confidence), initiator: text(initiator), outcome: text(outcome),
  };
}
const closes = data.closes.map(close);
const ordinary = (cause) => cause === 'client-close' || cause === 'cluster';

// What is chosen, kept in the address so that a view can be handed on.
const view = { words: '', cause: '', outcome: '', incident: '', from: null, until: null, sort: 'at', down: false, open: '' };

function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'class') node.className = value;
    else if (key === 'text') node.textContent = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function svg(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Microseconds since the base as a time of day, with the date where days differ.
function clock(us, digits) {
  if (us === null) return '';
  const ms = Math.floor(us / 1000);
  const date = new Date(data.base + ms).toISOString();
  const micros = String(Math.floor(us - ms * 1000)).padStart(3, '0');
  const fraction = (date.slice(20, 23) + micros).slice(0, digits);
  return (data.dated ? date.slice(0, 10) + ' ' : '') + date.slice(11, 19) + (fraction ? '.' + fraction : '');
}

function duration(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 0.001) return Math.round(seconds * 1e6) + ' µs';
  if (size < 0.01) return (seconds * 1e3).toFixed(1) + ' ms';
  if (size < 1) return Math.round(seconds * 1e3) + ' ms';
  if (size < 120) return seconds.toFixed(1) + ' s';
  if (size < 7200) return Math.floor(seconds / 60) + ' min ' + Math.floor(seconds % 60) + ' s';
  return Math.floor(seconds / 3600) + ' h ' + Math.floor((seconds % 3600) / 60) + ' min';
}

const grouped = (number) => String(number).length < 5 ? String(number) : String(number).replace(/\B(?=(\d{3})+$)/g, ' ');
const plural = (number, one, many) => grouped(number) + ' ' + (number === 1 ? one : many);

// The address, both ways: #q=orders&cause=network/blackhole&open=c12
function readAddress() {
  const chosen = new URLSearchParams(location.hash.slice(1));
  if (![...chosen.keys()].some((key) => ['q', 'cause', 'outcome', 'incident', 'from', 'until', 'sort', 'open'].includes(key))) return false;
  const number = (key) => (chosen.has(key) && Number.isFinite(Number(chosen.get(key))) ? Number(chosen.get(key)) : null);
  view.words = chosen.get('q') || '';
  view.cause = chosen.get('cause') || '';
  view.outcome = chosen.get('outcome') || '';
  view.incident = chosen.get('incident') || '';
  view.from = number('from');
  view.until = number('until');
  view.open = chosen.get('open') || '';
  const sort = chosen.get('sort') || 'at';
  view.down = sort.startsWith('-');
  view.sort = sort.replace(/^-/, '');
  return true;
}

function writeAddress() {
  const chosen = new URLSearchParams();
  const put = (key, value) => { if (value !== '' && value !== null) chosen.set(key, value); };
  put('q', view.words);
  put('cause', view.cause);
  put('outcome', view.outcome);
  put('incident', view.incident);
  put('from', view.from);
  put('until', view.until);
  put('open', view.open);
  if (view.sort !== 'at' || view.down) put('sort', (view.down ? '-' : '') + view.sort);
  const text = chosen.toString();
  history.replaceState(null, '', text ? '#' + text : location.pathname + location.search);
}

function start() {
  for (const node of document.querySelectorAll('.needs-script')) node.hidden = false;
  startTable();
  startLanes();
  const given = readAddress();
  showTable();
  if (given && !view.open) document.getElementById('closes').scrollIntoView({ behavior: 'instant' });
  window.addEventListener('hashchange', () => {
    if (!readAddress()) return;
    showTable();
    if (!view.open) document.getElementById('closes').scrollIntoView();
  });
  document.documentElement.dataset.ready = 'yes';
}
