// The explorer's page: what its pictures carry is shown under the mouse, its states become steps of undo, its controls are named. Nothing is fetched from elsewhere.
const served = 'voila' in document.body.dataset, mod = (a, n) => ((a % n) + n) % n, all = (root, what) => [...root.querySelectorAll(what)]
const MAPS = ['other', 'picture', 'difference'].map(name => `img.explorer-${name}`).join()
const store = (name, value) => { try { return value === undefined ? localStorage.getItem(`explorer-${name}`) : localStorage.setItem(`explorer-${name}`, value) } catch { return null } }

// ---- theme
const dark = matchMedia('(prefers-color-scheme: dark)'), asked = new URLSearchParams(location.search).get('theme')
function theme() {
  document.documentElement.classList.toggle('explorer-dark', dark.matches)
  document.body.dataset.jpThemeLight = !dark.matches
}
if (served && !asked) { theme(); dark.addEventListener('change', theme) }

// ---- what a picture carries: a text chunk of JSON, and a chunk of float32 numbers
async function carried(image) {
  const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer()), view = new DataView(bytes.buffer), text = new TextDecoder('latin1')
  let about = {}, numbers
  for (let at = 8; at < bytes.length;) {
    const size = view.getUint32(at), kind = text.decode(bytes.subarray(at + 4, at + 8)), body = bytes.slice(at + 8, at + 8 + size)
    if (kind === 'tEXt' && text.decode(body.subarray(0, 6)) === 'about\0') about = JSON.parse(text.decode(body.subarray(6)))
    if (kind === 'maPs') numbers = new Float32Array(body.buffer)
    at += 12 + size
  }
  return {...about, numbers}
}
export const digits = value => value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1e4) ? value.toPrecision(4) : value.toExponential(3)

function set(control, value) {
  control.value = value
  for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, {bubbles: true}))
}

// ---- maps under the mouse: one cursor, one zoom for all fields and universes
class Maps {
  constructor(root) {
    Object.assign(this, {root, zoom: 1, x: 0.5, y: 0.5, cursor: null, fingers: new Map(), readout: root.querySelector('.explorer-readout .widget-html-content')})
    root.addEventListener('load', event => event.target.matches?.('img') && this.loaded(event.target), true)
    for (const image of all(root, 'img')) if (image.complete && image.naturalWidth) this.loaded(image)
    const on = (kind, act) => root.addEventListener(kind, event => event.target.matches?.(MAPS) && event.target.about?.names && act(event, this.at(event.target, event)), {passive: false})
    on('pointermove', (event, at) => this.fingers.has(event.pointerId) && this.fingers.set(event.pointerId, event).size > 1 ? this.pinch(event.target) : this.move(event, at))
    on('pointerdown', (event, at) => { if (event.pointerType === 'touch' && this.fingers.set(event.pointerId, event).size > 1) return this.pinch(event.target); this.cursor = at; this.held = event.pointerType !== 'touch' && event.button === 0 && at && {at, x: this.x, y: this.y, across: event.clientX, down: event.clientY, side: event.target.clientHeight * this.zoom}; event.preventDefault(); this.draw() })
    on('dblclick', () => this.look(1, 0.5, 0.5))
    on('wheel', (event, at) => {
      const zoom = Math.min(16, Math.max(1, this.zoom * 1.2 ** (-event.deltaY / 100)))
      if (!at || zoom === this.zoom) return
      event.preventDefault()
      this.look(zoom, ...(zoom === 1 ? [0.5, 0.5] : [at.x - (at.left - 0.5) / zoom, at.y - (at.up - 0.5) / zoom]))
    })
    root.addEventListener('pointerout', event => { if (event.target.matches?.(MAPS) && !this.held) { this.cursor = null; this.draw() } })
    for (const kind of ['pointerup', 'pointercancel']) addEventListener(kind, event => { this.held = this.grip = null; this.fingers.delete(event.pointerId) })
    new ResizeObserver(() => this.draw()).observe(root.querySelector('.explorer-maps'))
    this.spectra()
  }
  async loaded(image) {
    const source = image.src
    try {
      const about = await carried(image)
      if (image.src !== source) return
      image.about = about
      image.alt = about.words ?? ''
      image.draggable = false
      if (!this.cursor) this.readout?.replaceChildren()
      this.draw()
    } catch { /* a newer picture is on its way */ }
  }
  panels(image) { // side of one, and the distance to the next [pixels of the picture]
    const n = image.about.names.length, gap = image.about.gap
    return {n, gap, side: (image.naturalWidth - gap * (n - 1)) / n}
  }
  at(image, event) { // where a pointer is: in its panel, and in the box
    const box = image.getBoundingClientRect(), {side, gap} = this.panels(image), scale = image.naturalWidth / box.width
    const left = ((event.clientX - box.left) * scale % (side + gap)) / side, up = 1 - (event.clientY - box.top) * scale / side
    return left < 0 || left >= 1 || up <= 0 || up > 1 ? null : {left, up, x: mod(this.x + (left - 0.5) / this.zoom, 1), y: mod(this.y + (up - 0.5) / this.zoom, 1)}
  }
  move(event, at) {
    const held = this.held
    if (held) Object.assign(this, {x: mod(held.x - (event.clientX - held.across) / held.side, 1), y: mod(held.y + (event.clientY - held.down) / held.side, 1), cursor: held.at})
    else if (at) this.cursor = at
    this.draw()
  }
  pinch(image) { // two fingers: what was under them when they came down stays there
    const [a, b] = this.fingers.values(), apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)
    const at = this.at(image, {clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2})
    if (!at || !apart) return
    this.grip ??= {x: at.x, y: at.y, scale: this.zoom / apart}
    const zoom = Math.min(16, Math.max(1, this.grip.scale * apart))
    this.look(zoom, ...(zoom === 1 ? [0.5, 0.5] : [this.grip.x - (at.left - 0.5) / zoom, this.grip.y - (at.up - 0.5) / zoom]))
  }
  look(zoom, x = this.x, y = this.y) {
    Object.assign(this, {zoom, x: mod(x, 1), y: mod(y, 1), cursor: null})
    this.draw()
  }
  draw() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint() })
  }
  paint() {
    const lines = []
    for (const image of all(this.root, MAPS)) {
      const shown = image.offsetParent && image.about?.names, over = this.over(image, shown)
      if (!shown) continue
      image.zoomed = this.zoom
      const {n, side, gap} = this.panels(image), pen = over.getContext('2d'), scale = image.clientWidth / image.naturalWidth, d = side * scale, z = this.zoom
      for (let i = 0; i < n; i++) {
        const left = i * (side + gap) * scale
        pen.save()
        pen.beginPath(); pen.rect(left, 0, d, d); pen.clip()
        if (z > 1 || this.x !== 0.5 || this.y !== 0.5) {
          pen.imageSmoothingEnabled = false
          for (const across of [-1, 0, 1]) for (const down of [-1, 0, 1]) { // the box is periodic
            const x = left + (0.5 + (across - this.x) * z) * d, y = (0.5 + (down - 1 + this.y) * z) * d
            if (x < left + d && x + z * d > left && y < d && y + z * d > 0) pen.drawImage(image, i * (side + gap), 0, side, side, x, y, z * d, z * d)
          }
        }
        if (this.cursor) this.cross(pen, left, d, this.value(image, i))
        pen.restore()
      }
      if (this.cursor) lines.push(this.line(image, n))
    }
    if (this.cursor && this.readout) this.readout.replaceChildren(...lines)
  }
  pixel(image) {
    const n = image.about.size
    return [Math.min(n - 1, Math.floor(this.cursor.x * n)), Math.min(n - 1, Math.floor(this.cursor.y * n)), n]
  }
  value(image, i) {
    const [x, y, n] = this.pixel(image)
    return digits(image.about.numbers[(i * n + y) * n + x])
  }
  cross(pen, left, d, text) {
    const part = (at, middle) => 0.5 + (mod(at - middle + 0.5, 1) - 0.5) * this.zoom, x = left + part(this.cursor.x, this.x) * d, y = d - part(this.cursor.y, this.y) * d
    for (const [colour, width] of [['#000', 3], ['#fff', 1]]) {
      Object.assign(pen, {strokeStyle: colour, lineWidth: width, globalAlpha: 0.7})
      pen.beginPath(); pen.moveTo(x, 0); pen.lineTo(x, y - 6); pen.moveTo(x, y + 6); pen.lineTo(x, d)
      pen.moveTo(left, y); pen.lineTo(x - 6, y); pen.moveTo(x + 6, y); pen.lineTo(left + d, y); pen.stroke()
    }
    Object.assign(pen, {globalAlpha: 1, font: '12px sans-serif', fillStyle: 'rgba(0, 0, 0, 0.7)'})
    pen.fillRect(left, d - 18, pen.measureText(text).width + 10, 18)
    pen.fillStyle = '#fff'
    pen.fillText(text, left + 5, d - 5)
  }
  line(image, n) {
    const [x, y, side] = this.pixel(image), step = image.about.box / side, line = document.createElement('div'), title = image.previousElementSibling
    const who = title?.offsetParent && title.matches('.widget-html') ? title.textContent + ': ' : ''
    line.textContent = `${who}x = ${((x + 0.5) * step).toFixed(2)}, y = ${((y + 0.5) * step).toFixed(2)} Mpc/h · `
      + image.about.names.map((name, i) => `${name} ${this.value(image, i)} ${image.about.units[i]}`.trim()).join(' · ')
    return line
  }
  over(image, shown) { // the canvas over a picture, empty
    image.canvas ??= Object.assign(document.createElement('canvas'), {className: 'explorer-over', ariaHidden: 'true'})
    const canvas = image.canvas, ratio = devicePixelRatio
    if (!canvas.isConnected) image.parentNode.append(canvas)
    canvas.hidden = !shown
    if (!shown) return canvas
    Object.assign(canvas.style, {left: `${image.offsetLeft}px`, top: `${image.offsetTop}px`, width: `${image.clientWidth}px`, height: `${image.clientHeight}px`})
    Object.assign(canvas, {width: image.clientWidth * ratio, height: image.clientHeight * ratio})
    canvas.getContext('2d').scale(ratio, ratio)
    return canvas
  }
  spectra() { // a click on a bin of P(k) shows that scale alone
    const image = this.root.querySelector('img.explorer-curves'), menu = () => this.root.querySelector('.explorer-band select')
    const bin = event => {
      const about = image.about, box = image.getBoundingClientRect(), x = (event.clientX - box.left) / box.width, y = 1 - (event.clientY - box.top) / box.height
      const axes = about?.axes?.find(([left, low, width, height]) => x >= left && x <= left + width && y >= low && y <= low + height)
      if (!axes) return -1
      const k = about.range[0] * (about.range[1] / about.range[0]) ** ((x - axes[0]) / axes[2]), far = about.k.map(other => Math.abs(Math.log(other / k)))
      return far.indexOf(Math.min(...far))
    }
    image.parentNode.style.position = 'relative'
    image.addEventListener('pointermove', event => {
      const i = bin(event)
      image.style.cursor = i < 0 ? '' : 'pointer'
      image.title = i < 0 ? '' : `k = ${image.about.k[i].toPrecision(3)} h/Mpc: click to see this scale alone`
    })
    image.addEventListener('click', event => {
      const i = bin(event) + 1
      if (i) set(menu(), menu().options[i === menu().selectedIndex ? 0 : i].value)
    })
    const mark = () => { // the chosen bin, in every spectrum
      const about = image.about, i = menu().selectedIndex - 1, over = this.over(image, about?.axes && i >= 0)
      if (over.hidden) return
      const pen = over.getContext('2d'), [w, h] = [image.clientWidth, image.clientHeight]
      pen.fillStyle = 'rgba(200, 85, 61, 0.35)'
      for (const [left, low, width, height] of about.axes) {
        const x = left + width * Math.log(about.k[i] / about.range[0]) / Math.log(about.range[1] / about.range[0])
        pen.fillRect(x * w - 4, (1 - low - height) * h, 8, height * h)
      }
    }
    new ResizeObserver(mark).observe(image)
    this.root.addEventListener('load', () => setTimeout(mark, 50), true)
    this.root.addEventListener('change', () => setTimeout(mark, 50))
  }
}

// ---- undo: each state of the controls that a visitor brought about is a query; on a page of its own they are the browser's history
class Steps {
  constructor(root) {
    this.root = root
    Object.assign(this, {past: [], now: this.query})
    this.button = root.querySelector('button.explorer-undo')
    this.button.addEventListener('click', () => this.undo())
    this.button.disabled = true
    if (served) history.replaceState({query: this.now, past: []}, '')
    for (const kind of ['pointerdown', 'keydown', 'click', 'change']) root.addEventListener(kind, event => { this.acted ||= !event.target.closest?.('.explorer-undo') }, true)
    new MutationObserver(() => { clearTimeout(this.timer); this.timer = setTimeout(() => this.look(), 300) }).observe(root.querySelector('.explorer-told'), {childList: true, subtree: true, attributes: true})
    if (served) addEventListener('popstate', event => event.state && this.restore(event.state.query, event.state.past))
  }
  get query() { return this.root.querySelector('[data-query]')?.dataset.query ?? '' }
  look() {
    if (this.query === this.now) return
    if (this.acted) this.past = [...this.past, this.now].slice(-100)
    this.now = this.query
    this.button.disabled = !this.past.length
    if (served) history[this.acted ? 'pushState' : 'replaceState']({query: this.now, past: this.past}, '', `?${this.now}${asked ? `&theme=${asked}` : ''}`)
    this.acted = false // what follows by itself, such as rounding to a slider's steps, is no step of its own
  }
  undo() {
    if (!this.past.length) return
    if (served) history.back()
    else this.restore(this.past.at(-1), this.past.slice(0, -1))
  }
  restore(query, past) {
    Object.assign(this, {now: query, past})
    this.button.disabled = !past.length
    set(this.root.querySelector('.explorer-address input'), `${query}&at=${Date.now()}`) // never the same twice: the control must see a change
    this.acted = false
  }
}

// ---- names and states for those who do not see the page, and a sentence for each parameter
const MEANING = {
  'matter density': 'Share of matter in the energy of the universe today: with more of it, maps are fuller and more evolved.',
  'amplitude of fluctuations': 'How strongly matter is clumped, as linear theory has it in spheres of 8 Mpc/h: with more, haloes are larger and voids emptier.',
  'galactic-wind energy per star formation': 'Energy that supernovae give to galactic winds for each mass of stars that forms, in units of the fiducial model.',
  'kinetic black-hole energy per accretion': 'Energy that black holes give to their surroundings as kicks, for each mass they accrete, in units of the fiducial model.',
  'galactic-wind speed': 'Speed of galactic winds, in units of the fiducial model: faster winds carry gas farther.',
  'burstiness of the kinetic black-hole mode': 'Energy that a black hole saves before it kicks, in units of the fiducial model: with more, kicks are rarer and stronger.'
}
function name(root) {
  const label = (node, text) => node && node.getAttribute('aria-label') !== text && node.setAttribute('aria-label', text)
  for (const slider of all(root, '.widget-slider')) {
    const handle = slider.querySelector('.noUi-handle'), words = slider.querySelector('.widget-label')?.textContent, value = slider.querySelector('.widget-readout')
    if (!handle) continue
    label(handle, words)
    if (value && handle.getAttribute('aria-valuetext') !== value.textContent) handle.setAttribute('aria-valuetext', value.textContent)
    if (value && !value.role) { value.role = 'textbox'; label(value, `${words}, as a number`) }
  }
  for (const button of all(root, '.widget-toggle-button')) {
    const pressed = String(button.classList.contains('mod-active'))
    if (button.ariaPressed !== pressed) button.ariaPressed = pressed
  }
  all(root, '.widget-play button').forEach((button, i) => label(button, ['play the sweep', 'stop the sweep', 'repeat the sweep'][i]))
  for (const image of all(root, 'img:not([alt])')) image.alt = 'being drawn'
  for (const node of all(root, '.explorer-parameter .widget-label')) if (MEANING[node.title]) node.title = MEANING[node.title]
}

// ---- first steps, help, keys
const STEPS = ['Drag a parameter: the same region of space, in another universe.', 'Point at a map for its values, turn the wheel (or two fingers) to zoom, drag to move; click on P(k) to see one scale.', 'Press compare to keep a universe beside the next; copy link takes you, or others, back here.']
const KEYS = {'?': 'this help', 'u': 'undo', 'c': 'compare', 'f': 'back to where the sliders began', 's': 'swap A and B', '+ − 0': 'zoom in, zoom out, the whole map', '← →': 'move the slider in focus; Page Up and Page Down move it further'}
function hint(root) {
  if (store('seen')) return
  const note = Object.assign(document.createElement('div'), {className: 'explorer-hint', innerHTML: `<ol style="margin:0;padding-left:20px">${STEPS.map(step => `<li>${step}</li>`).join('')}</ol><button type="button" style="margin:4px 0 0">got it</button>`})
  note.lastChild.addEventListener('click', () => { store('seen', 1); note.remove() })
  root.parentNode.querySelector('.explorer-note')?.append(note)
}
function help(root) {
  const box = Object.assign(document.createElement('dialog'), {className: 'explorer-help', ariaLabel: 'help'})
  const rows = pairs => `<dl>${pairs.map(([term, text]) => `<dt>${term}</dt><dd>${text}</dd>`).join('')}</dl>`
  const sliders = all(root, '.explorer-parameter .widget-label').map(label => [label.innerHTML, label.title])
  box.innerHTML = `<form method="dialog"><b>Keys</b>${rows(Object.entries(KEYS).map(([key, text]) => [`<kbd>${key}</kbd>`, text]))}
    <label><input type="checkbox" ${store('keys') === 'off' ? '' : 'checked'}> letters act as keys</label><p><b>Parameters</b>${rows(sliders)}</p><button autofocus>close</button></form>`
  box.querySelector('input').addEventListener('change', event => store('keys', event.target.checked ? 'on' : 'off'))
  box.addEventListener('close', () => box.remove())
  document.body.append(box)
  box.showModal()
}
function keys(root, maps, steps) {
  const press = kind => root.querySelector(`button.explorer-${kind}`)?.click()
  const acts = {'?': () => help(root), u: () => steps.undo(), c: () => press('compare'), f: () => press('home'), s: () => press('swap'), '+': () => maps.look(Math.min(16, maps.zoom * 1.5)),
    '-': () => maps.look(Math.max(1, maps.zoom / 1.5)), '0': () => maps.look(1, 0.5, 0.5)}
  document.addEventListener('keydown', event => {
    const node = document.activeElement, writes = node?.matches('input:not([type=checkbox]), textarea, select, [contenteditable=true]')
    if (!acts[event.key] || writes || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
    if (!root.isConnected || !(served || root.contains(node)) || (store('keys') === 'off' && event.key !== '?')) return
    event.preventDefault(); event.stopPropagation()
    acts[event.key]()
  }, true)
  root.querySelector('button.explorer-keys')?.addEventListener('click', () => help(root))
}

// ---- a kernel that is lost: the server no longer knows it, or does not answer; or it was begun anew, without this page
const config = JSON.parse(document.getElementById('jupyter-config-data')?.textContent ?? '{}')
let away = 0, gone = false
async function watch() {
  const answer = await fetch(`${config.baseUrl}api/kernels/${config.kernelId}`, {cache: 'no-store'}).catch(() => null)
  away = answer?.ok ? 0 : away + 1
  gone ||= ['dead', 'restarting', 'autorestarting'].includes(window.jupyterapp?.widgetManager?.kernel?.status)
  const shown = document.querySelector('.explorer-lost')
  if (away < 2 && !gone) shown?.remove()
  else if (!shown) lost()
  setTimeout(watch, 3000)
}
function lost() {
  const box = Object.assign(document.createElement('div'), {className: 'explorer-lost', innerHTML: 'The process behind this page has ended, perhaps because nothing was done for a while. <button type="button">reconnect</button>'})
  box.setAttribute('role', 'alert')
  box.lastChild.addEventListener('click', () => location.reload()) // the address holds where the sliders are
  document.body.append(box)
}

// ---- begin, for each explorer that appears
function begin(root) {
  root.dataset.ready = 'yes'
  const maps = new Maps(root), steps = new Steps(root)
  let soon
  name(root)
  new MutationObserver(() => { soon ??= requestAnimationFrame(() => { soon = null; name(root) }) })
    .observe(root, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['class', 'aria-valuetext']})
  keys(root, maps, steps)
  hint(root)
}
const NEEDED = ['[data-query]', 'button.explorer-undo', 'img.explorer-curves', '.explorer-address input', '.explorer-band select', '.explorer-readout']
const scan = () => all(document, '.explorer-columns:not([data-ready])').filter(root => NEEDED.every(what => root.querySelector(what))).forEach(begin)
new MutationObserver(scan).observe(document.body, {childList: true, subtree: true})
scan()
if (served && config.kernelId) watch()
