// A ladder: client on the left, server on the right, packets between them, log lines on their own side, silence where there is.

function ladder(found, text, c) {
  const kinds = new Set(found.ladder.map((rung) => rung[0]));
  const side = (kind) => el('col', { class: kinds.has(kind) ? null : 'none' });
  const table = el('table', { class: 'ladder' },
    el('colgroup', {}, el('col', { class: 't' }), side('c'), el('col', { class: 'w' }), side('s'), el('col', { class: 'c' })),
    el('thead', {}, el('tr', {},
      el('th', { scope: 'col', text: 'Time' }),
      el('th', { scope: 'col', text: kinds.has('c') ? "Client's log" : '' }),
      el('th', { scope: 'col', class: 'wire', text: (c.client || 'client') + '   to   ' + (c.server || 'server') }),
      el('th', { scope: 'col', text: kinds.has('s') ? "Server's log" : '' }),
      el('th', { scope: 'col', text: 'Where' }))));
  const body = el('tbody');
  let before = null;
  for (const stretch of stretches(found.ladder)) {
    const made = [];
    const start = before;
    for (const rung of stretch.rungs) {
      const at = rung[1];
      if (before !== null && at !== null && at - before >= 1e6) made.push(gap(at - before));
      made.push(rungRow(rung, text, before));
      if (at !== null) before = at;
    }
    if (stretch.quiet) body.append(folded(stretch.rungs, made, start));
    else body.append(...made);
  }
  table.append(body);
  const wrapped = el('div', { class: 'wide' }, table);
  if (found.shortened) wrapped.append(el('p', { class: 'quiet', text: 'Shortened because the report holds many closes; a report of fewer (--client, --cause) has more.' }));
  return wrapped;
}

// Rungs that the verdict does not cite and that show nothing odd are folded where many follow each other; the last ones before
// something told are kept, as they lead up to it.
const QUIET = 6;
const LEAD = 2;
function stretches(rungs) {
  const found = [];
  let run = [];
  const quiet = ([, , , , , note, cited]) => cited === null && note === null;
  const close = (last) => {
    const keep = last ? 0 : LEAD;
    const cut = run.length - keep >= QUIET ? run.length - keep : 0;
    if (cut) found.push({ quiet: true, rungs: run.slice(0, cut) });
    if (cut < run.length) found.push({ quiet: false, rungs: run.slice(cut) });
    run = [];
  };
  for (const rung of rungs) {
    if (quiet(rung)) {
      run.push(rung);
      continue;
    }
    close(false);
    found.push({ quiet: false, rungs: [rung] });
  }
  close(true);
  return found;
}

// One row for many; opening it puts them in its place.
function folded(rungs, made, before) {
  const times = rungs.map((rung) => rung[1]).filter((at) => at !== null);
  const span = times.length ? ', ' + duration((times[times.length - 1] - (before ?? times[0])) / 1e6) : '';
  const button = el('button', { type: 'button', text: 'Show ' + plural(rungs.length, 'step', 'steps') + ' that the verdict does not need' + span });
  const row = el('tr', { class: 'fold' }, el('td'), el('td'), el('td', { class: 'wire' }, button), el('td'), el('td'));
  button.addEventListener('click', () => row.replaceWith(...made));
  return row;
}

function gap(us) {
  return el('tr', { class: 'gap' }, el('td'), el('td'), el('td', { class: 'wire', text: duration(us / 1e6) + ' without anything here' }), el('td'), el('td'));
}

function rungRow([kind, at, digits, says, where, note, cited, supports], text, before) {
  const cells = { client: el('td'), wire: el('td', { class: 'wire' }), server: el('td') };
  const line = el('bdi', { class: 'line', text: text(says) });
  if (kind === '>' || kind === '<') {
    cells.wire.append(el('span', { class: 'arrow ' + (kind === '>' ? 'right ' : 'left ') + text(note), text: text(says) }));
  } else if (kind === 'c') cells.client.append(line);
  else if (kind === 's') cells.server.append(line);
  else cells.wire.append(el('bdi', { class: 'says', text: text(says) }));
  if (cited !== null && text(cited)) cells.wire.append(el('bdi', { class: 'says', text: text(cited) }));
  const time = el('td', { class: 't', text: at === null ? '' : clock(at, digits) });
  if (at !== null && before !== null && at > before) time.append(el('span', { class: 'step', text: '+' + duration((at - before) / 1e6) }));
  const places = el('td', { class: 'c' });
  where.forEach((place, index) => {
    if (index) places.append(' ');
    places.append(el('bdi', { class: 'cite', text: text(place) }));
  });
  const classes = cited === null ? null : supports ? 'cited' : 'cited against';
  return el('tr', { class: classes }, time, cells.client, cells.wire, cells.server, places);
}
