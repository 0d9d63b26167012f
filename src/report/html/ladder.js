// A ladder: client on the left, server on the right, packets between them, log lines on their own side, silence where there is.

function ladder(found, text, c) {
  const table = el('table', { class: 'ladder' },
    el('colgroup', {}, el('col', { class: 't' }), el('col'), el('col', { class: 'w' }), el('col'), el('col', { class: 'c' })),
    el('thead', {}, el('tr', {},
      el('th', { scope: 'col', text: 'Time' }),
      el('th', { scope: 'col', text: "Client's log" }),
      el('th', { scope: 'col', class: 'wire', text: (c.client || 'client') + '   to   ' + (c.server || 'server') }),
      el('th', { scope: 'col', text: "Server's log" }),
      el('th', { scope: 'col', text: 'Where' }))));
  const body = el('tbody');
  let before = null;
  for (const rung of found.ladder) {
    const at = rung[1];
    if (before !== null && at !== null && at - before >= 1e6) body.append(gap(at - before));
    body.append(rungRow(rung, text, before));
    if (at !== null) before = at;
  }
  table.append(body);
  const wrapped = el('div', { class: 'wide' }, table);
  if (found.shortened) wrapped.append(el('p', { class: 'quiet', text: 'Shortened because the report holds many closes; a report of fewer (--client, --cause) has more.' }));
  return wrapped;
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
    if (index) places.append(el('br'));
    places.append(el('bdi', { class: 'cite', text: text(place) }));
  });
  const classes = cited === null ? null : supports ? 'cited' : 'cited against';
  return el('tr', { class: classes }, time, cells.client, cells.wire, cells.server, places);
}
