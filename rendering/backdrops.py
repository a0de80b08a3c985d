"""Backdrops: large textured pictures that the camera pans over. Each is H x W x 3, 0..255."""

import numpy as np

from rendering.arrays import Floats, floats, grid, mix, smoothstep
from rendering.noise import cellular_noise, fractal_noise, value_noise
from rendering.painting import Brush, palette


def leaf_litter(height: int, width: int, seed: int) -> Floats:
    """Forest floor from above: soil under several hundred fallen leaves."""
    rng = np.random.default_rng(seed)
    soil = fractal_noise(height, width, (60, 60), rng, octaves=6, persistence=0.7)
    picture = palette(soil * 1.6 - 0.3, (38, 27, 18), (92, 70, 46), (140, 112, 76))
    grain = fractal_noise(height, width, (5, 5), rng, octaves=2)
    picture *= (0.7 + 0.6 * grain)[..., None]
    colors = [(126, 92, 50), (150, 122, 62), (96, 104, 48), (84, 60, 36), (164, 112, 58)]
    brush = Brush(picture)
    count = height * width // 900
    for number in range(count):
        x, y, turns, size, hue, light = rng.random(6).tolist()
        base = floats(*colors[int(hue * len(colors))])
        depth = 0.55 + 0.45 * number / count
        _leaf(
            brush,
            (x * width, y * height),
            turns,
            11 + 20 * size,
            base * np.float32(depth * (0.75 + 0.5 * light)),
        )
    return np.clip(picture, 0, 255)


def _leaf(
    brush: Brush, center: tuple[float, float], turns: float, length: float, color: Floats
) -> None:
    """A pointed leaf with a light midrib, side veins, a shaded half and a soft shadow."""
    window = brush.window((center[0] + 2, center[1] + 3), length + 4, turns)
    if window is not None:
        where, along, across = window
        cover = smoothstep(3.0, -3.0, _leaf_edge(along, across, length))
        brush.blend(where, cover * np.float32(0.55), floats(12, 9, 6))
    window = brush.window(center, length + 2, turns)
    if window is None:
        return
    where, along, across = window
    veins = np.abs((along - np.abs(across)) / np.float32(length * 0.22))
    veins = np.abs(veins - np.floor(veins) - np.float32(0.5))
    shade = np.where(across > 0, np.float32(1.08), np.float32(0.88)) + 0.12 * smoothstep(
        0.42, 0.5, veins
    )
    shade = shade + np.float32(0.35) * smoothstep(1.4, 0.2, np.abs(across))
    cover = smoothstep(0.8, -0.8, _leaf_edge(along, across, length))
    brush.blend(where, cover, color * shade[..., None])


def _leaf_edge(along: Floats, across: Floats, length: float) -> Floats:
    """Distance from the edge of a leaf, pixels, negative inside."""
    u = np.clip(along / np.float32(length), -1, 1)
    return np.abs(across) - np.float32(length * 0.42) * (1 - u * u) * (1 - 0.3 * u)


def pebbles(height: int, width: int, seed: int) -> Floats:
    """River bed: stones of two sizes under greenish water."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), dtype=np.float32)
    for size, share in ((17.0, 1.0), (46.0, 0.45)):
        cells = cellular_noise(height, width, size, rng)
        rough = fractal_noise(height, width, (size / 2, size / 2), rng, octaves=4)
        light = (0.3 + 0.7 * smoothstep(0.0, 0.3, cells.gap)) * (1.2 - 0.6 * cells.nearest**2)
        stones = palette(
            cells.shade, (92, 86, 74), (134, 128, 116), (112, 92, 70), (168, 160, 142), (74, 80, 78)
        )
        stones *= (light * (0.65 + 0.7 * rough))[..., None]
        laid = np.where((cells.shade * 7.31) % 1.0 < share, smoothstep(0.03, 0.1, cells.gap), 0)
        picture = mix(picture, stones, laid.astype(np.float32)[..., None])
    picture *= floats(0.72, 0.95, 0.88)
    murk = fractal_noise(height, width, (150, 220), rng, octaves=3)
    return np.clip(mix(picture, floats(46, 92, 84), (0.15 + 0.4 * murk)[..., None]), 0, 255)


def brick_wall(height: int, width: int, seed: int) -> Floats:
    """Weathered running-bond brick wall above a paved strip."""
    rng = np.random.default_rng(seed)
    x, y = grid(height, width)
    wavy = fractal_noise(height, width, (30, 30), rng, octaves=3) * 3
    brick_h, brick_w = np.float32(19), np.float32(44)
    course = np.floor((y + wavy) / brick_h)
    shifted = x + wavy + (course % 2) * brick_w / 2
    column = np.floor(shifted / brick_w)
    tones = rng.random((int(height / 19) + 4, int(width / 44) + 6)).astype(np.float32)
    tone = tones[course.astype(np.int64) + 1, column.astype(np.int64) + 1]
    color = palette(tone, (112, 58, 44), (146, 78, 58), (160, 96, 70), (124, 74, 66), (98, 62, 58))
    rough = fractal_noise(height, width, (12, 12), rng, octaves=4, persistence=0.75)
    color *= (0.6 + 0.8 * rough)[..., None]
    v, u = (y + wavy) % brick_h, shifted % brick_w
    edge = np.minimum(np.minimum(v, brick_h - v), np.minimum(u, brick_w - u))
    mortar = palette(rough, (120, 114, 106), (176, 170, 160))
    picture = mix(mortar, color, smoothstep(1.2, 2.6, edge)[..., None])
    stains = fractal_noise(height, width, (160, 60), rng, octaves=4)
    picture *= (0.62 + 0.7 * stains)[..., None]
    paving = _paving(height, width, rng)
    return np.clip(
        mix(picture, paving, smoothstep(-2.0, 2.0, y - 0.72 * height)[..., None]), 0, 255
    )


def _paving(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Gray slabs with speckle."""
    x, y = grid(height, width)
    speckle = fractal_noise(height, width, (4, 4), rng, octaves=2)
    broad = fractal_noise(height, width, (40, 120), rng, octaves=4)
    tone = palette(0.55 * speckle + 0.45 * broad, (70, 70, 72), (128, 126, 122), (158, 154, 148))
    gaps = np.minimum((y - 0.72 * height) % 58, (x + 0.8 * y) % 118)
    return tone * (0.55 + 0.45 * smoothstep(0.5, 3.0, gaps))[..., None]


def cloudy_sky(height: int, width: int, seed: int) -> Floats:
    """Broken clouds over wooded hills."""
    rng = np.random.default_rng(seed)
    x, y = grid(height, width)
    fall = (y / np.float32(height)) + np.zeros_like(x)
    picture = palette(fall, (74, 118, 178), (120, 160, 204), (186, 204, 218))
    cloud = fractal_noise(height, width, (95, 190), rng, octaves=6, persistence=0.56)
    lit = fractal_noise(height, width, (40, 70), rng, octaves=5)
    body = palette(
        0.25 + 1.5 * (lit - 0.5) + 0.7 * cloud, (122, 128, 140), (206, 208, 212), (246, 244, 240)
    )
    picture = mix(picture, body, smoothstep(0.44, 0.6, cloud)[..., None])
    for level, cell, dark in ((0.74, 240.0, 1.25), (0.82, 130.0, 0.95), (0.9, 80.0, 0.7)):
        ridge = value_noise(1, width, (1, cell), rng) * 46 + value_noise(1, width, (1, 9), rng) * 7
        trees = fractal_noise(height, width, (9, 9), rng, octaves=4, persistence=0.75)
        wood = palette(trees, (20, 36, 26), (60, 84, 50), (110, 124, 78)) * np.float32(dark)
        if dark > 1:
            wood = mix(wood, floats(150, 170, 184), floats(0.45))
        hill = smoothstep(0.0, 3.0, y - (level * height - ridge + 8 * trees))
        picture = mix(picture, wood, hill[..., None])
    return np.clip(picture, 0, 255)


def meadow(height: int, width: int, seed: int) -> Floats:
    """A hedge, a meadow with flowers and a dirt track across it."""
    rng = np.random.default_rng(seed)
    _, y = grid(height, width)
    blades = fractal_noise(height, width, (16, 4), rng, octaves=4, persistence=0.8)
    patches = fractal_noise(height, width, (60, 140), rng, octaves=4)
    tone = 0.55 * blades + 0.6 * patches - 0.1
    picture = palette(tone, (34, 52, 22), (78, 104, 42), (126, 142, 62), (172, 168, 92))
    brush = Brush(picture)
    for _ in range(height * width // 700):
        px, py, choice, size = rng.random(4).tolist()
        color = [(228, 222, 206), (222, 190, 60), (176, 96, 150)][int(choice * 3)]
        window = brush.window((px * width, py * height), 4, 0.0)
        if window is not None:
            where, u, v = window
            cover = smoothstep(1.0 + 1.4 * size, 0.4, np.sqrt(u * u + v * v))
            brush.blend(where, cover * np.float32(0.85), floats(*color))
    sway = fractal_noise(height, width, (50, 90), rng, octaves=4) * 26
    ruts = fractal_noise(height, width, (5, 40), rng, octaves=4, persistence=0.7)
    earth = palette(ruts, (84, 66, 46), (134, 110, 80), (168, 146, 112))
    offset = np.abs(y + sway - 0.66 * height)
    track = smoothstep(46.0, 34.0, offset) * (1 - 0.75 * smoothstep(9.0, 3.0, offset))
    picture = mix(picture, earth, track[..., None])
    leaves = fractal_noise(height, width, (24, 24), rng, octaves=5, persistence=0.75)
    hedge = palette(leaves * 1.5 - 0.3, (14, 26, 14), (40, 66, 30), (84, 108, 54))
    border = smoothstep(4.0, -4.0, y - 0.33 * height - 40 * (leaves - 0.5))
    picture = mix(picture, hedge, border[..., None])
    far = smoothstep(0.16, 0.02, y / np.float32(height) + 0.3 * (leaves - 0.5))
    return np.clip(mix(picture, floats(170, 188, 200), far[..., None]), 0, 255)


def dusk_town(height: int, width: int, seed: int) -> Floats:
    """House fronts with lit and dark windows under an evening sky."""
    rng = np.random.default_rng(seed)
    _, y = grid(height, width)
    haze = fractal_noise(height, width, (60, 200), rng, octaves=5)
    fall = y / np.float32(height) + 0.35 * (haze - 0.5)
    picture = palette(fall * 1.25, (70, 84, 122), (140, 124, 140), (214, 160, 122), (230, 190, 140))
    for base, dark, span in ((0.34, 0.95, 90.0), (0.52, 0.7, 130.0)):
        left = -span * float(rng.random())
        while left < width:
            wide, tall, hue, roof = rng.random(4).tolist()
            right = left + span * (0.6 + 0.8 * wide)
            top = height * (base - 0.16 * tall)
            _house(picture, (left, right, top), hue, dark, roof, rng)
            left = right
    street = fractal_noise(height, width, (6, 30), rng, octaves=4, persistence=0.7)
    road = palette(street, (44, 44, 50), (86, 82, 84), (122, 110, 100))
    picture = mix(picture, road, smoothstep(-3.0, 3.0, y - 0.9 * height)[..., None])
    return np.clip(picture, 0, 255)


def _house(
    picture: Floats,
    edges: tuple[float, float, float],
    hue: float,
    dark: float,
    roof: float,
    rng: np.random.Generator,
) -> None:
    """A plastered front from `edges` = (left, right, top) down, with rows of windows."""
    height, width = picture.shape[:2]
    left, right = max(int(edges[0]), 0), min(int(edges[1]), width)
    top = max(int(edges[2]), 0)
    if right <= left:
        return
    h, w = height - top, right - left
    x, y = grid(h, w)
    tones = [(150, 116, 96), (120, 112, 116), (166, 142, 112), (104, 84, 82), (134, 128, 104)]
    plaster = fractal_noise(h, w, (50, 20), rng, octaves=5, persistence=0.65)
    front = floats(*tones[int(hue * len(tones))]) * (dark * (0.55 + 0.7 * plaster))[..., None]
    pitch_x, pitch_y = 24 + 8 * hue, 34 + 8 * roof
    u, v = x % np.float32(pitch_x), (y - 16) % np.float32(pitch_y)
    pane = np.maximum(np.abs(u - pitch_x / 2) - pitch_x * 0.24, np.abs(v - 14) - 9)
    cross = np.minimum(np.abs(u - pitch_x / 2), np.abs(v - 11))
    lights = rng.random((int(h / pitch_y) + 2, int(w / pitch_x) + 2)).astype(np.float32)
    column = np.floor(x / np.float32(pitch_x)).astype(np.int64)
    row = np.maximum(np.floor((y - 16) / np.float32(pitch_y)).astype(np.int64), 0)
    lit = lights[row, column]
    glass = palette(lit, (30, 36, 50), (44, 50, 66), (70, 66, 70), (232, 186, 110))
    glass = mix(
        floats(150, 140, 128) * np.float32(dark), glass, smoothstep(0.6, 1.6, cross)[..., None]
    )
    front = mix(front, floats(60, 52, 50) * np.float32(dark), smoothstep(2.6, 1.6, pane)[..., None])
    front = mix(front, glass, smoothstep(0.6, -0.6, pane)[..., None])
    tiles = palette(plaster, (60, 36, 32), (112, 64, 50)) * np.float32(dark)
    front = mix(front, tiles, smoothstep(13.0, 11.0, y + 0 * x)[..., None])
    edge = np.minimum(x, w - 1 - x)
    picture[top:, left:right] = front * (0.6 + 0.4 * smoothstep(0.0, 5.0, edge))[..., None]
