"""Images of all kinds: 3D, time, channels, colours, several resolutions, not in memory."""

import dask.array as da
import numpy as np
import pytest

from napari_spinney.samples import load_sample

pytestmark = pytest.mark.gui


def train_and_predict(someone):
    someone.train()
    assert someone.session.activity.text == ""
    someone.predict()
    assert someone.session.activity.text == ""
    return someone.result()


def agreement(found, truth):
    return np.mean((found == 2) == (truth > 0))


def test_a_stack(person):
    sample = load_sample("stack")
    someone = person(sample.image, name="stack", scale=sample.spacing, units=("um",) * 3)
    assert someone.session.images[someone.workspace.binding.current].spacing == sample.spacing
    someone.paint_sample("stack")
    assert agreement(train_and_predict(someone).data, sample.truth) > 0.95


def test_time_points_are_told_from_slices_by_their_units(person):
    sample = load_sample("time_lapse")
    someone = person(
        sample.image, name="t", scale=(1, *sample.spacing), units=("pixel", "um", "um")
    )
    assert someone.session.images[someone.workspace.binding.current].axes == "tyx"
    someone.paint_sample("time_lapse")
    assert agreement(train_and_predict(someone).data, sample.truth) > 0.95


def test_axes_can_be_chosen(person):
    someone = person(load_sample("time_lapse").image, name="t")
    form = someone.dock("Train").images
    assert form.axes.currentText() == "z, y, x"
    form.axes.setCurrentIndex(form.axes.findData("tyx"))
    form.axes.activated.emit(form.axes.currentIndex())
    assert someone.session.images[someone.workspace.binding.current].time_axis == 0


def test_channels_as_an_axis(person):
    sample = load_sample("two_channels")
    someone = person(np.stack(list(np.moveaxis(sample.image, sample.channel_axis, 0))), name="c")
    form = someone.dock("Train").images
    form.axes.setCurrentIndex(form.axes.findData("cyx"))
    form.axes.activated.emit(form.axes.currentIndex())
    assert someone.strokes.data.shape == sample.strokes.shape
    someone.paint_sample("two_channels")
    result = train_and_predict(someone)
    assert result.data.shape == sample.strokes.shape
    assert len(someone.session.model.classifier.feature_names_) % 2 == 0


def test_layers_as_channels(person):
    sample = load_sample("two_channels")
    first, second = np.moveaxis(sample.image, sample.channel_axis, 0)
    someone = person(first, name="dapi")
    someone.viewer.add_image(second, name="marker")
    form = someone.dock("Train").images
    form.channels.item(1).setCheckState(form.channels.item(0).checkState())
    entry = someone.session.images[someone.workspace.binding.current]
    assert (entry.n_channels, entry.axes) == (2, "cyx")
    someone.paint_sample("two_channels")
    assert train_and_predict(someone).data.shape == first.shape


def test_colours(person, nuclei):
    someone = person(np.stack([nuclei, nuclei // 2, 255 - nuclei], -1), rgb=True)
    someone.paint_sample()
    assert agreement(train_and_predict(someone).data, load_sample("nuclei").truth) > 0.95


def test_several_resolutions(person, nuclei):
    someone = person([nuclei, nuclei[::2, ::2]], multiscale=True)
    someone.paint_sample()
    result = train_and_predict(someone)
    assert result.data.shape == nuclei.shape
    assert agreement(result.data, load_sample("nuclei").truth) > 0.95


def test_an_image_that_is_not_in_memory(person, nuclei):
    someone = person(da.from_array(nuclei, chunks=100))
    someone.paint_sample()
    assert agreement(train_and_predict(someone).data, load_sample("nuclei").truth) > 0.95


def test_two_images_each_with_its_strokes(person, nuclei):
    someone = person(nuclei)
    someone.viewer.add_image(nuclei[:, :200], name="other")
    someone.dock("Train").images.add.click()
    assert len(someone.session.annotations) == 2
    someone.paint_sample()
    other = someone.workspace.binding.use_image(someone.viewer.layers["other"])
    someone.workspace.binding.annotate(other)
    someone.paint(1, [(5, x) for x in range(5, 60)])
    someone.until(lambda: bool(someone.session.counts.get(other)))
    someone.train()
    assert "2 images" in someone.dock("Train").learnt.text()


def test_images_with_other_channels_are_not_mixed_silently(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.viewer.add_image(np.stack([nuclei] * 3, -1), rgb=True, name="rgb")
    someone.workspace.binding.annotate(
        someone.workspace.binding.use_image(someone.viewer.layers["rgb"])
    )
    someone.paint(1, [(5, x) for x in range(5, 60)])
    current = someone.workspace.binding.current
    someone.until(lambda: someone.session.counts.get(current, {}).get(1) is not None)
    someone.dock("Annotate").actions_bar.train.click()
    someone.until(lambda: someone.session.activity.kind == "failed")
    assert "channel" in someone.session.activity.text
