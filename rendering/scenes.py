"""The built-in sequences, from easy to hard.

| name    | what makes it hard                                                           |
|---------|------------------------------------------------------------------------------|
| beetle  | rotation, moving legs, growth; cluttered moving ground                       |
| kite    | flutter, rotation, scale change 2:1, turning out of the plane, light change  |
| ball    | fast motion with blur, spin, a resting look-alike                            |
| tractor | partial occlusion by posts, full occlusion by a tree, fast backdrop          |
| fish    | look-alikes that cross, weeds, bending, turning round, light under water     |
| bird    | flapping, look-alike, leaves the image and returns mirrored, falling light   |
"""

from rendering import animals, backdrops, scenery, things
from rendering.arrays import Floats
from rendering.compositing import Actor, Camera, Shadow
from rendering.motion import Bounce, Keys, Linear, Sum, Wobble, constant
from rendering.renderer import Scene

LENGTH = 130
"""Frames of every sequence; with anchors 0, 50, 100 and 129 that is 441 frames of multi-start."""


def _beetle_ground() -> Floats:
    return backdrops.leaf_litter(560, 1000, 11)


def _beetle_cast() -> tuple[Actor, ...]:
    return (
        Actor(
            animals.beetle(12),
            x=Sum((Keys((0, 170), (45, 290), (90, 420), (129, 470)), Wobble(13, 4, 11))),
            y=Sum((Keys((0, 245), (45, 150), (90, 185), (129, 245)), Wobble(14, 4, 9))),
            scale=Keys((0, 35), (60, 42), (129, 52)),
            angle=Keys((0, -0.13), (45, -0.03), (85, 0.06), (129, 0.19)),
            phase=Linear(0.11),
            shadow=Shadow(0.12, 0.2),
        ),
    )


def _kite_sky() -> Floats:
    return backdrops.cloudy_sky(620, 1000, 21)


def _kite_cast() -> tuple[Actor, ...]:
    return (
        Actor(
            things.kite(22),
            x=Sum((Keys((0, 430), (35, 300), (70, 210), (100, 330), (129, 420)), Wobble(23, 9, 7))),
            y=Sum((Keys((0, 130), (35, 205), (70, 120), (100, 200), (129, 150)), Wobble(24, 9, 8))),
            scale=Keys((0, 36), (70, 20), (129, 40)),
            angle=Keys((0, -0.1), (30, -0.3), (60, -0.05), (95, 0.12), (129, -0.12)),
            phase=Linear(0.085),
            stretch_y=Keys((0, 1.0), (40, 0.7), (80, 1.0), (110, 0.75), (129, 1.0)),
        ),
    )


def _ball_wall() -> Floats:
    return backdrops.brick_wall(560, 1150, 31)


def _ball_cast() -> tuple[Actor, ...]:
    roll = Keys((0, 80), (36, 540), (74, 110), (108, 500), (129, 330))
    return (
        Actor(
            things.Ball(33),
            x=constant(610),
            y=constant(452),
            scale=constant(30),
            phase=constant(0.31),
            depth=1.0,
            shadow=Shadow(0.25, 0.75),
        ),
        Actor(
            things.Ball(32),
            x=roll,
            y=Bounce(floor=300, height=225, period=27, start=0.12),
            scale=Keys((0, 31), (50, 42), (100, 33), (129, 38)),
            phase=Linear(0.05),
        ),
    )


def _tractor_meadow() -> Floats:
    return backdrops.meadow(540, 1500, 41)


def _tractor_cast() -> tuple[Actor, ...]:
    tractor = Actor(
        things.tractor(42),
        x=Keys((0, 150), (50, 250), (80, 330), (129, 470)),
        y=Sum((Keys((0, 232), (60, 226), (129, 238)), Wobble(43, 1.5, 4))),
        scale=Keys((0, 31), (70, 27), (129, 42)),
        angle=Wobble(44, 0.008, 6),
        phase=Linear(0.045),
        shadow=Shadow(0.0, 0.95, 0.4),
    )
    posts = tuple(
        Actor(
            scenery.fence_post(45 + k),
            x=constant(x),
            y=constant(350),
            scale=constant(95),
            depth=1.2,
        )
        for k, x in enumerate((400.0, 490.0, 900.0, 1145.0))
    )
    trunk = Actor(
        scenery.tree_trunk(49, 0.68),
        x=constant(775),
        y=constant(270),
        scale=constant(100),
        depth=1.25,
    )
    return (tractor, *posts, trunk)


_ORANGE = animals.Coat((92, 64, 46), (222, 132, 52), (238, 214, 178), (36, 34, 60), 2.2)
_AMBER = animals.Coat((84, 72, 44), (206, 150, 62), (232, 218, 176), (52, 40, 40), 2.9)


def _fish_bed() -> Floats:
    return backdrops.pebbles(560, 1000, 51)


def _fish_cast() -> tuple[Actor, ...]:
    def swimmer(
        seed: int, coat: animals.Coat, x: Keys, y: Keys, scale: Keys, turn: Keys, beat: float
    ) -> Actor:
        return Actor(
            animals.fish(seed, coat),
            x=Sum((x, Wobble(seed + 100, 5, 13))),
            y=Sum((y, Wobble(seed + 200, 4, 11))),
            scale=scale,
            angle=Wobble(seed + 300, 0.035, 18),
            phase=Linear(beat, seed * 0.17),
            stretch_x=turn,
            shadow=Shadow(0.35, 1.1, 0.3),
        )

    behind = swimmer(
        52,
        _AMBER,
        Keys((0, 420), (60, 330), (129, 560)),
        Keys((0, 100), (60, 225), (129, 290)),
        Keys((0, 30), (129, 34)),
        Keys((0, -1), (66, -1), (76, 1)),
        0.07,
    )
    target = swimmer(
        53,
        _ORANGE,
        Keys((0, 190), (40, 300), (75, 455), (92, 470), (129, 270)),
        Keys((0, 230), (40, 165), (75, 185), (129, 130)),
        Keys((0, 38), (75, 32), (129, 42)),
        Keys((0, 1), (82, 1), (94, -1)),
        0.09,
    )
    before = swimmer(
        54,
        _ORANGE,
        Keys((0, 590), (34, 305), (70, 110), (129, 60)),
        Keys((0, 140), (34, 185), (70, 250), (129, 120)),
        Keys((0, 33), (129, 36)),
        Keys((0, -1), (129, -1)),
        0.08,
    )
    weeds = tuple(
        Actor(
            scenery.water_weed(55 + k),
            x=constant(x),
            y=constant(y),
            scale=constant(size),
            phase=Linear(0.02, 0.3 * k),
            depth=1.15,
        )
        for k, (x, y, size) in enumerate(
            ((300.0, 420.0, 70.0), (625.0, 330.0, 82.0), (700.0, 400.0, 84.0), (860.0, 420.0, 66.0))
        )
    )
    return (behind, target, before, *weeds)


_SLATE, _WHITE = (98, 106, 124), (234, 230, 222)
_BROWN, _CREAM = (112, 100, 96), (222, 214, 196)


def _bird_town() -> Floats:
    return backdrops.dusk_town(620, 1250, 61)


def _bird_cast() -> tuple[Actor, ...]:
    other = Actor(
        animals.bird(62, _BROWN, _CREAM),
        x=Keys((0, 600), (40, 330), (75, 60), (100, 180), (129, 560)),
        y=Keys((0, 90), (40, 150), (75, 240), (100, 250), (129, 120)),
        scale=Keys((0, 24), (75, 30), (129, 27)),
        angle=Keys((0, 0.03), (75, 0.05), (100, -0.05), (129, -0.06)),
        phase=Linear(0.105, 0.3),
        stretch_x=Keys((0, -1), (78, -1), (88, 1)),
    )
    target = Actor(
        animals.bird(63, _SLATE, _WHITE),
        x=Keys((0, 130), (30, 260), (50, 460), (61, 740), (68, 740), (84, 520), (129, 190)),
        y=Keys((0, 210), (30, 140), (50, 170), (61, 130), (68, 200), (84, 185), (129, 140)),
        scale=Keys((0, 32), (50, 27), (70, 36), (100, 30), (129, 24)),
        angle=Keys((0, -0.08), (30, 0.0), (50, 0.03), (70, 0.0), (92, -0.03), (129, 0.04)),
        phase=Linear(0.12),
        stretch_x=Keys((0, 1), (63, 1), (66, -1)),
    )
    return (other, target)


SCENES: dict[str, Scene] = {
    "beetle": Scene(
        seed=10,
        backdrop=_beetle_ground,
        camera=Camera(
            x=Sum((Keys((0, 400), (129, 590)), Wobble(15, 5, 14))),
            y=Sum((Keys((0, 300), (129, 260)), Wobble(16, 4, 12))),
        ),
        cast=_beetle_cast,
        target=0,
        light=Sum((constant(1.05), Wobble(17, 0.04, 10))),
    ),
    "kite": Scene(
        seed=20,
        backdrop=_kite_sky,
        camera=Camera(
            x=Sum((Keys((0, 620), (60, 400), (129, 560)), Wobble(25, 7, 12))),
            y=Sum((Keys((0, 300), (60, 400), (129, 330)), Wobble(26, 6, 11))),
            zoom=Keys((0, 1.0), (129, 1.12)),
        ),
        cast=_kite_cast,
        target=0,
        light=Keys((0, 1.0), (45, 1.05), (68, 0.58), (92, 0.6), (116, 1.12)),
    ),
    "ball": Scene(
        seed=30,
        backdrop=_ball_wall,
        camera=Camera(
            x=Sum((Keys((0, 420), (40, 640), (80, 470), (129, 640)), Wobble(34, 6, 9))),
            y=Sum((constant(340), Wobble(35, 8, 8))),
        ),
        cast=_ball_cast,
        target=1,
        grain=3.5,
    ),
    "tractor": Scene(
        seed=40,
        backdrop=_tractor_meadow,
        camera=Camera(
            x=Sum((Keys((0, 380), (129, 1080)), Wobble(46, 3, 9))),
            y=Sum((constant(300), Wobble(47, 4, 10))),
        ),
        cast=_tractor_cast,
        target=0,
        light=Keys((0, 1.0), (70, 0.85), (129, 1.1)),
    ),
    "fish": Scene(
        seed=50,
        backdrop=_fish_bed,
        camera=Camera(
            x=Sum((Keys((0, 420), (70, 520), (129, 450)), Wobble(57, 8, 20))),
            y=Sum((Keys((0, 270), (129, 290)), Wobble(58, 6, 18))),
        ),
        cast=_fish_cast,
        target=1,
        tint=(0.84, 1.02, 0.98),
        grain=3.5,
        under_water=True,
    ),
    "bird": Scene(
        seed=60,
        backdrop=_bird_town,
        camera=Camera(
            x=Sum((Keys((0, 400), (60, 720), (129, 520)), Wobble(64, 8, 8))),
            y=Sum((Keys((0, 300), (60, 250), (129, 290)), Wobble(65, 7, 9))),
        ),
        cast=_bird_cast,
        target=1,
        light=Keys((0, 1.1), (60, 0.95), (129, 0.55)),
        grain=4.0,
    ),
}
"""All built-in sequences by name."""
