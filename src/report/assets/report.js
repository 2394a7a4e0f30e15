// Makes the page interactive. The page is complete without this script. All text is set as text content and never
// parsed as markup.
'use strict';

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const byId = (id) => document.getElementById(id);

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- Pictures: the sheet of slopes, a single slope, and one enlarged latent ----------------------------------------

const pictures = read('pictures-data');

class Gallery {
  constructor(data) {
    this.data = data;
    this.isSweep = data.slopes.length > 1 || data.seeds.length > 1;
    this.tiles = data.rows * data.columns;
    this.state = {time: data.images.length - 1, slope: 0, seed: 0, latent: 0};
    this.loaded = new Map();
    document.querySelectorAll('[data-script]').forEach((element) => { element.hidden = false; });
    this.rows = [...document.querySelectorAll('[data-row]')];
    this.setUpTime();
    this.setUpSeeds();
    this.setUpSlope();
    this.setUpHits();
    this.setUpLarge();
    this.show();
  }

  uri(slope, time = this.state.time, seed = this.state.seed) {
    return this.data.arms[slope * this.data.seeds.length + seed][time];
  }

  // Returns a promise that resolves to the decoded picture.
  load(uri) {
    if (!this.loaded.has(uri)) {
      const image = new Image();
      image.src = uri;
      this.loaded.set(uri, image.decode().then(() => image));
    }
    return this.loaded.get(uri);
  }

  // Returns a canvas with one tile of a picture.
  tile(uri, index, canvas = document.createElement('canvas')) {
    const size = this.data.tile;
    canvas.width = canvas.height = size;
    canvas.dataset.latent = index;
    if (!uri) return canvas;
    this.load(uri).then((image) => {
      const x = index % this.data.columns * size, y = Math.floor(index / this.data.columns) * size;
      canvas.getContext('2d').drawImage(image, x, y, size, size, 0, 0, size, size);
    }, () => {});
    return canvas;
  }

  imagesText(time = this.state.time) { return this.data.images[time].toLocaleString('en'); }

  setUpTime() {
    const slider = byId('time');
    slider.max = this.data.images.length - 1;
    slider.addEventListener('input', () => this.change({time: Number(slider.value)}));
    slider.disabled = this.data.images.length < 2;
    const play = byId('play');
    play.hidden = this.data.images.length < 2;
    play.addEventListener('click', () => (this.timer ? this.pause() : this.play()));
  }

  play() {
    byId('play').textContent = '❚❚ Pause';
    const last = this.data.images.length - 1;
    if (this.state.time === last) this.change({time: 0});
    this.timer = setInterval(() => {
      this.change({time: this.state.time + 1});
      if (this.state.time === last) this.pause();
    }, 450);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    byId('play').textContent = '▶ Play';
  }

  setUpSeeds() {
    const seeds = byId('seeds');
    if (!seeds) return;
    seeds.hidden = this.data.seeds.length < 2;
    this.data.seeds.forEach((seed, index) => {
      const button = make('button', '', seed);
      button.type = 'button';
      button.addEventListener('click', () => this.change({seed: index}));
      seeds.append(button);
    });
  }

  setUpSlope() {
    const slider = byId('slope');
    if (!slider) return;
    slider.max = this.data.slopes.length - 1;
    slider.addEventListener('input', () => this.change({slope: Number(slider.value)}));
    byId('focus-reals').hidden = !this.data.reals;
    this.fillMosaic(byId('focus-tiles'), () => this.uri(this.state.slope), true);
    this.fillMosaic(byId('focus-real-tiles'), () => this.data.reals, false);
  }

  fillMosaic(mosaic, uri, opens) {
    for (let i = 0; i < this.tiles; ++i) {
      const canvas = this.tile(uri(), i);
      if (!opens) {
        mosaic.append(canvas);
        continue;
      }
      const button = make('button');
      button.type = 'button';
      button.setAttribute('aria-label', `Enlarge latent ${i + 1}`);
      button.addEventListener('click', () => this.open(this.state.slope, i));
      button.append(canvas);
      mosaic.append(button);
    }
  }

  // Places a transparent button over each tile of a strip.
  setUpHits() {
    for (const row of this.rows) {
      const hits = make('div', 'hits');
      hits.style.gridTemplateColumns = `repeat(${this.data.columns}, 1fr)`;
      hits.style.gridTemplateRows = `repeat(${this.data.rows}, 1fr)`;
      for (let i = 0; i < this.tiles; ++i) {
        const button = make('button');
        button.type = 'button';
        button.setAttribute('aria-label', `Enlarge latent ${i + 1}`);
        button.addEventListener('click', () => this.open(Number(row.dataset.row), i));
        hits.append(button);
      }
      row.querySelector('.tiles').append(hits);
    }
  }

  setUpLarge() {
    this.dialog = byId('large');
    const step = (by) => this.change({latent: (this.state.latent + by + this.tiles) % this.tiles});
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog || event.target.closest('[data-close]')) this.dialog.close();
      const button = event.target.closest('[data-step]');
      if (button) step(Number(button.dataset.step));
    });
    this.dialog.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowRight') step(1);
      if (event.key === 'ArrowLeft') step(-1);
    });
  }

  open(slope, latent) {
    this.pause();
    this.change({slope, latent});
    this.dialog.showModal();
    this.showLarge();
  }

  change(state) {
    Object.assign(this.state, state);
    this.show();
  }

  show() {
    byId('time').value = this.state.time;
    byId('time-text').textContent = this.imagesText();
    for (const row of this.rows) this.showRow(row);
    const seeds = byId('seeds');
    if (seeds) {
      seeds.querySelectorAll('button').forEach((button, index) => {
        button.setAttribute('aria-pressed', index === this.state.seed);
      });
      this.showFocus();
    }
    if (this.dialog && this.dialog.open) this.showLarge();
  }

  showRow(row) {
    const slope = Number(row.dataset.row), uri = this.uri(slope);
    const strip = row.querySelector('.strip');
    if (uri && strip.src !== uri) strip.src = uri;
    strip.hidden = !uri;
    row.querySelector('.none').hidden = Boolean(uri);
    const hits = row.querySelector('.hits');
    if (hits) hits.hidden = !uri;
    row.classList.toggle('chosen', this.isSweep && slope === this.state.slope);
  }

  showFocus() {
    const slope = this.data.slopes[this.state.slope];
    byId('slope').value = this.state.slope;
    byId('slope-text').textContent = slope.name;
    byId('focus-name').textContent = `slope ${slope.name}` + (slope.score ? `, ${slope.score}` : '');
    byId('focus-tiles').querySelectorAll('canvas').forEach((canvas, i) => {
      this.tile(this.uri(this.state.slope), i, canvas);
    });
  }

  // Shows the selected latent for every slope at the selected time or, for a single run, at all times.
  showLarge() {
    const {latent} = this.state;
    const place = this.isSweep ? `${this.imagesText()} images seen, seed ${this.data.seeds[this.state.seed]}`
                               : 'over training';
    byId('large-title').textContent = `Latent ${latent + 1} of ${this.tiles}, ${place}`;
    const figures = this.isSweep ? this.data.slopes.map((slope, i) => this.largeTile(
                                       this.uri(i), `slope ${slope.name}`, slope.score, i === this.state.slope))
                                 : this.data.images.map((images, i) => this.largeTile(
                                       this.uri(0, i), `${this.imagesText(i)} images`, '', i === this.state.time));
    if (this.data.reals) {
      const real = this.largeTile(this.data.reals, 'a real image', 'for comparison', false);
      real.classList.add('real');
      figures.push(real);
    }
    this.dialog.querySelector('.large-tiles').replaceChildren(...figures);
  }

  largeTile(uri, name, detail, chosen) {
    const figure = make('figure', chosen ? 'chosen' : '');
    const caption = make('figcaption', '', name);
    caption.append(make('span', '', uri ? detail : 'no picture'));
    figure.append(this.tile(uri, this.state.latent), caption);
    return figure;
  }
}

if (pictures) new Gallery(pictures);

// ---- Charts: values on hover, and single series selected in the legend ---------------------------------------------

const svgNamespace = 'http://www.w3.org/2000/svg';

function makeSvg(name, attributes) {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function numberText(value) {
  if (value === null) return '–';
  if (typeof value === 'string') return value;  // infinite
  return Number(value.toPrecision(4)).toLocaleString('en', {maximumSignificantDigits: 4});
}

class HoverChart {
  constructor(figure, data) {
    this.figure = figure;
    this.data = data;
    this.svg = figure.querySelector('svg');
    this.marks = figure.querySelector('.hover');
    this.tip = make('div', 'tip');
    this.tip.hidden = true;
    figure.append(this.tip);
    this.places = [...new Set(data.series.flatMap((series) => series.x.map((x) => this.place(x))))].sort((a, b) => a - b);
    this.svg.addEventListener('pointermove', (event) => this.hover(event));
    this.svg.addEventListener('pointerdown', (event) => this.hover(event));
    this.svg.addEventListener('pointerleave', () => this.leave());
    this.setUpLegend();
  }

  // The points of one category are drawn side by side, so their x values differ slightly.
  place(x) { return this.data.categories ? Math.round(x) : x; }

  scaled(value, [low, high, logarithmic]) {
    if (logarithmic) return value > 0 ? Math.log(value / low) / Math.log(high / low) : 0;
    return (value - low) / (high - low);
  }
  px(x) { return this.data.plot[0] + this.data.plot[2] * this.scaled(x, this.data.x); }
  py(y) { return this.data.plot[1] + this.data.plot[3] * (1 - Math.min(1, Math.max(0, this.scaled(y, this.data.y)))); }

  hover(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * this.svg.viewBox.baseVal.width / box.width;
    let nearest = this.places[0];
    for (const place of this.places) {
      if (Math.abs(this.px(place) - x) < Math.abs(this.px(nearest) - x)) nearest = place;
    }
    this.showAt(nearest, box);
  }

  leave() {
    this.tip.hidden = true;
    this.marks.replaceChildren();
  }

  // Returns the point in each series that is nearest to `place` or, for categories, all points in the category.
  entries(place) {
    const reach = (this.data.x[1] - this.data.x[0]) / 40;
    const found = [];
    for (const series of this.data.series) {
      if (this.only && series.label !== this.only) continue;
      if (this.data.categories) {
        series.x.forEach((x, i) => { if (Math.round(x) === place) found.push({series, i}); });
        continue;
      }
      let best = -1;
      series.x.forEach((x, i) => {
        if (best < 0 || Math.abs(x - place) < Math.abs(series.x[best] - place)) best = i;
      });
      if (best >= 0 && Math.abs(series.x[best] - place) <= reach) found.push({series, i: best});
    }
    return found;
  }

  showAt(place, box) {
    const entries = this.entries(place);
    const heading = this.data.categories ? `${this.data.xlabel} ${this.data.categories[place]}`
                                         : `${place.toLocaleString('en')} ${this.data.xlabel}`;
    this.tip.replaceChildren(make('b', '', heading), ...entries.map((entry) => this.entryLine(entry)));
    const [, top, , height] = this.data.plot, x = this.px(place);
    const marks = [makeSvg('line', {x1: x, x2: x, y1: top, y2: top + height})];
    for (const {series, i} of entries) {
      if (series.y[i] === null) continue;
      marks.push(makeSvg('circle', {class: `c${series.colour}`, cx: this.px(series.x[i]), cy: this.py(series.y[i]), r: 4}));
    }
    this.marks.replaceChildren(...marks);
    this.tip.hidden = false;
    // Place the tooltip on the side with more room.
    const left = x * box.width / this.svg.viewBox.baseVal.width;
    const isLeft = left > box.width / 2;
    this.tip.style.left = isLeft ? '' : `${left + 14}px`;
    this.tip.style.right = isLeft ? `${box.width - left + 14}px` : '';
    this.tip.style.maxWidth = `${(isLeft ? left : box.width - left) - 14}px`;
    this.tip.style.top = `${box.top - this.figure.getBoundingClientRect().top + 4}px`;
  }

  entryLine({series, i}) {
    const line = make('div', `c${series.colour}`);
    const name = make('span');
    name.append(make('i'), (series.names && series.names[i]) || series.label);
    let text = numberText(series.y[i]);
    if (series.low && series.low[i] !== null) text += ` (${numberText(series.low[i])} … ${numberText(series.high[i])})`;
    line.append(name, make('span', 'value', text));
    return line;
  }

  setUpLegend() {
    const items = [...this.figure.querySelectorAll('.legend li')];
    if (items.length < 2) return;
    for (const item of items) {
      item.setAttribute('role', 'button');
      item.setAttribute('aria-pressed', 'false');
      item.tabIndex = 0;
      const toggle = () => showOnly(this.figure.closest('section'), this.only === item.textContent ? null : item.textContent);
      item.addEventListener('click', toggle);
      item.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          toggle();
        }
      });
    }
  }

  showOnly(label) {
    const chosen = this.data.series.find((series) => series.label === label);
    if (label !== null && !chosen) return;
    this.only = label;
    const index = this.data.series.indexOf(chosen);
    for (const group of this.figure.querySelectorAll('.s')) {
      group.classList.toggle('off', Boolean(chosen) && Number(group.dataset.series) !== index);
    }
    for (const item of this.figure.querySelectorAll('.legend li')) {
      item.setAttribute('aria-pressed', item.textContent === label);
    }
  }
}

const chartData = read('charts-data');
const hoverCharts = [...document.querySelectorAll('[data-chart]')]
                        .map((figure) => new HoverChart(figure, chartData[Number(figure.dataset.chart)]));

// Selects the series with this label in all charts of a section, or all series if the label is null.
function showOnly(section, label) {
  for (const chart of hoverCharts) {
    if (section.contains(chart.figure)) chart.showOnly(label);
  }
}

// ---- Figures whose parts show text on hover, tap or focus -----------------------------------------------------------

class Tips {
  constructor(figure) {
    this.figure = figure;
    this.tip = make('div', 'tip words');
    this.tip.hidden = true;
    figure.append(this.tip);
    for (const part of figure.querySelectorAll('[data-tip]')) {
      for (const event of ['pointerenter', 'pointerdown', 'focus']) part.addEventListener(event, () => this.show(part));
      for (const event of ['pointerleave', 'blur']) part.addEventListener(event, () => { this.tip.hidden = true; });
    }
  }

  // Shows the text below the part, inside the figure.
  show(part) {
    this.tip.textContent = part.dataset.tip;
    this.tip.hidden = false;
    const box = part.getBoundingClientRect(), frame = this.figure.getBoundingClientRect();
    const room = Math.max(0, frame.width - this.tip.offsetWidth);
    this.tip.style.left = `${Math.min(room, Math.max(0, box.left - frame.left + box.width / 2 - this.tip.offsetWidth / 2))}px`;
    this.tip.style.top = `${box.bottom - frame.top + 4}px`;
  }
}

document.querySelectorAll('[data-tips]').forEach((figure) => new Tips(figure));
