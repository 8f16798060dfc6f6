"""Scores against the truth, and against the best that any attack could have done.

:func:`vbtools.evaluate.score.evaluate` does all of it. One file a question: ``truth`` (what is known of a call),
``pictures`` (what is scored), ``standard`` (PSNR, SSIM, MS-SSIM, LPIPS, CIEDE2000), ``words`` and ``objects`` (what can
be made out), ``ceiling`` (the oracle), ``curve`` (what a shorter call would have given). Detail recovered is
``vbtools.ops.detail``. ``docs/evaluate.md`` defines every figure.
"""
