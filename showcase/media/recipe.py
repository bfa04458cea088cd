"""A plan as FFmpeg arguments. Pure: tested by what FFmpeg makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from showcase.core.ladder import (
    AAC_FRAME,
    GOP_S,
    SAMPLE_RATE,
    SEGMENT_S,
    AudioPlan,
    Plan,
    Rung,
    VideoStream,
    scale_filters,
)

PLAYLIST = "ffmpeg.m3u8"
"""What FFmpeg writes beside the segments; it is thrown away, ours is computed."""

BACKGROUND = "0x08090b"
"""What stands around a still picture that has another shape: the near-black of the pages."""

_OUTPUT = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")  # no place or device name leaves with the film

# What a picture is whatever its rung: one joins another without a decoder having to start anew.
_PICTURE = (
    "-pix_fmt", "yuv420p", "-profile:v", "high", "-flags", "+cgop",
    "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
    "-bsf:v", "dump_extra=freq=keyframe",
)  # fmt: skip
_VIDEO_SCALE = ":video_track_timescale=90000"
_RGB = VideoStream(0, "rawvideo", 0, 0, rgb=True)


def film(video: VideoStream, plan: Plan, rungs: Sequence[Rung], *, with_audio: bool, gain_db: float = 0.0) -> list[str]:
    """Arguments for these rungs, and the sound if wanted, in one process: decoded once, split, scaled, encoded."""
    graph = []
    if rungs:
        outs = "".join(f"[s{i}]" for i in range(len(rungs)))
        graph.append(f"[0:{video.index}]{plan.prepare},split={len(rungs)}{outs}")
        graph += [f"[s{i}]{scale_filters(video, r.width, r.height)}[v{i}]" for i, r in enumerate(rungs)]
    # A graph each for picture and sound: what happens to one must not start the other afresh.
    arguments = ["-filter_complex", ";".join(graph)] if rungs else []
    if with_audio and plan.audio is not None:
        arguments += ["-filter_complex", f"{sound(plan.audio, plan.samples, gain_db)}[a]"]
    for i, rung in enumerate(rungs):
        arguments += ["-map", f"[v{i}]", *_video_output(rung, plan.fps)]
    if with_audio and plan.audio is not None:
        arguments += ["-map", "[a]", *_audio_output(plan.audio)]
    return arguments


def steady(video: VideoStream | None) -> list[str]:
    """Options of the input that keep FFmpeg from building its filters anew, from time 0, where a stream changes.

    A picture that changes its size is scaled; sound that changes its rate or channels is an error, and better so than
    out of step. The filter that turns a picture could not bear a change, so such a film is left as it is.
    """
    return ["-reinit_filter:a", "0", *(["-reinit_filter:v", "0"] if video is not None and video.rotation == 0 else [])]


def only_sound(plan: Plan, *, gain_db: float = 0.0) -> list[str]:
    """Arguments for the audio rendition alone."""
    assert plan.audio is not None  # noqa: S101 - a plan for sound has one
    graph = f"{sound(plan.audio, plan.samples, gain_db)}[a]"
    return ["-filter_complex", graph, "-map", "[a]", *_audio_output(plan.audio)]


def still(rungs: Sequence[Rung], *, frames: int, fps: int) -> list[str]:
    """Arguments for one closed group of `frames` pictures, all of the input's first one, at these rungs.

    No picture refers to a later one: the group may be cut after any, and be repeated. The picture is fitted into each
    rung, over near-black where it does not fill it or lets light through.
    """
    outs = "".join(f"[s{i}]" for i in range(len(rungs)))
    graph = [f"[0:v:0]trim=end_frame=1,split={len(rungs)}{outs}"]
    for i, rung in enumerate(rungs):
        fit = f"min({rung.width}/iw,{rung.height}/ih)"
        graph += [
            f"color={BACKGROUND}:s={rung.width}x{rung.height}:r={fps}:d={1 / fps:.6f}[b{i}]",
            f"[s{i}]scale='max(1,round(iw*{fit}))':'max(1,round(ih*{fit}))':flags=bicubic,setsar=1,format=gbrap[p{i}]",
            # In RGB, so that odd sizes keep their edges; repeated only when all has been done.
            f"[b{i}][p{i}]overlay=(W-w)/2:(H-h)/2:format=gbrp,{scale_filters(_RGB, rung.width, rung.height)},"
            f"loop={frames - 1}:1:0,setpts=N/({fps}*TB),fps={fps}[v{i}]",
        ]
    arguments = ["-filter_complex", ";".join(graph)]
    # Only the key picture gets bits. Were it made better by those after it, the film would pulse with every group.
    hold = f"zones=1,{frames - 1},q=51"
    for i, rung in enumerate(rungs):
        # One group may fill what the rung's average lets through in its time, for it is repeated again and again.
        rate = ["-maxrate", str(rung.average), "-bufsize", str(rung.average * frames // fps)]
        arguments += [
            "-map", f"[v{i}]", "-c:v", "libx264", "-preset", rung.preset, "-tune", "stillimage", "-crf", str(rung.crf),
            *rate, "-x264-params", hold, "-bf", "0", "-g", str(frames), "-keyint_min", str(frames), "-sc_threshold", "0", *_PICTURE,
            *_hls(rung.name, _VIDEO_SCALE),
        ]  # fmt: skip
    return arguments


def sound(audio: AudioPlan, samples: int, gain_db: float = 0.0, *, primed: bool = True) -> str:
    """A filter chain (without its output label) to stereo 48 kHz float of exactly `samples` samples.

    The encoder puts one frame of priming before the first; there are no edit lists to tell players to skip it (they
    break joins). So, with `primed`, the first 1,024 samples are left out and everything after is heard at its time.
    """
    first = AAC_FRAME if primed else 0
    cut = f"apad,atrim=start_sample={first}:end_sample={max(samples, first + 1)},asetpts=PTS-STARTPTS"
    # async=1 fills gaps and holds the start at 0; float inside, so that nothing is scaled down to fit integers.
    even = "aresample=48000:async=1:first_pts=0:internal_sample_fmt=fltp,aformat=sample_fmts=fltp"
    stereo = "aformat=sample_fmts=fltp:channel_layouts=stereo"
    if not audio.streams:
        return f"anullsrc=r={SAMPLE_RATE}:cl=stereo,{stereo},{cut}"
    steps = [even]
    if audio.mix.startswith("pan="):
        steps.append(audio.mix)
    steps.append(stereo)
    if audio.mix and not audio.mix.startswith("pan="):
        steps.append(audio.mix)
    if gain_db:
        steps.append(f"volume={gain_db:.2f}dB:precision=float")
        if gain_db > 0:
            steps.append("alimiter=limit=0.89:level=disabled:latency=1")  # -1 dBTP, as EBU R128 asks
    steps += [cut]
    if len(audio.streams) == 2:
        left, right = audio.streams
        head = f"[0:{left}]{even},pan=mono|c0=c0[left];[0:{right}]{even},pan=mono|c0=c0[right];"
        return f"{head}[left][right]join=inputs=2:channel_layout=stereo,{','.join(steps[1:])}"
    return f"[0:{audio.streams[0]}]{','.join(steps)}"


def _video_output(rung: Rung, fps: Fraction) -> list[str]:
    group = -(-GOP_S * fps.numerator // fps.denominator)
    # Over one segment a buffer lets through rate x length + buffer: this size makes that the rung's peak.
    buffer = (rung.peak - rung.average) * SEGMENT_S
    return [
        "-c:v", "libx264", "-preset", rung.preset, "-crf", str(rung.crf), "-maxrate", str(rung.average),
        "-bufsize", str(buffer), "-g", str(group), "-sc_threshold", "0",
        "-force_key_frames", f"expr:gte(t,n_forced*{GOP_S})", *_PICTURE, *_hls(rung.name, _VIDEO_SCALE),
    ]  # fmt: skip


def _audio_output(audio: AudioPlan) -> list[str]:
    return [
        "-c:a",
        "aac",
        "-profile:a",
        "aac_low",
        "-b:a",
        str(audio.bitrate),
        "-ar",
        str(SAMPLE_RATE),
        "-ac",
        "2",
        *_hls(audio.name),
    ]


def _hls(name: str, scale: str = "") -> list[str]:
    return [
        *_OUTPUT, "-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
        "-hls_flags", "independent_segments",
        "-hls_segment_options", f"movflags=+negative_cts_offsets:use_editlist=0{scale}",
        "-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", f"{name}/s%05d.m4s", f"{name}/{PLAYLIST}",
    ]  # fmt: skip
