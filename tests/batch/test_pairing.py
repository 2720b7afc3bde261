"""Files that belong together."""

import pytest

from napari_spinney.batch.pairing import expand, images_in, pair_folders, pair_lists, read_pairs


def touch(folder, *names):
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def names(paths):
    return [path.name for path in paths]


def test_a_folder_gives_its_images_by_name(tmp_path):
    touch(tmp_path, "b.tif", "a b.png", "ä.npy", ".hidden.tif", "notes.txt")
    touch(tmp_path / "sub.tif")
    (tmp_path / "c.zarr").mkdir()
    assert names(images_in(tmp_path)) == ["a b.png", "b.tif", "c.zarr", "ä.npy"]


def test_files_folders_and_patterns_are_found_once(tmp_path):
    touch(tmp_path / "x", "1.tif", "2.tif")
    touch(tmp_path / "y" / "z", "3.tif", "3.txt")
    words = [tmp_path / "x" / "2.tif", tmp_path / "x", str(tmp_path / "y" / "**" / "*")]
    assert names(expand(words)) == ["2.tif", "1.tif", "3.tif"]


def test_a_name_with_brackets_is_a_file_and_no_pattern(tmp_path):
    touch(tmp_path, "a[1].tif", "a1.tif")
    assert names(expand([tmp_path / "a[1].tif"])) == ["a[1].tif"]


@pytest.mark.parametrize(
    ("word", "reason"),
    [("", "no images in the folder"), ("*.tif", "no image matches"), ("no.tif", "no file")],
)
def test_where_nothing_is_it_is_said(tmp_path, word, reason):
    with pytest.raises(ValueError, match=reason):
        expand([str(tmp_path / word)])


def test_two_folders_pair_by_name_whatever_the_kind(tmp_path):
    images = touch(tmp_path / "images", "zellen 1.ome.tif", "größe.png")
    masks = touch(tmp_path / "masks", "zellen 1.png", "größe.tif")
    pairs = [(a.name, b.name) for a, b in pair_folders(images, masks)]
    assert pairs == [("größe.png", "größe.tif"), ("zellen 1.ome.tif", "zellen 1.png")]


@pytest.mark.parametrize(
    ("images", "masks", "reason"),
    [
        (["a.tif", "b.tif"], ["a.tif"], "no partner: .*b.tif"),
        (["a.tif"], ["a.tif", "b.tif"], "no partner: .*b.tif"),
        (["a.tif", "a.png"], ["a.tif"], "same name"),
        (["a.tif"], ["a.tif", "a.png"], "same name"),
        (["a.tif"], [], "no images in the folder"),
        (["a_classes.tif", "a_objects.tif"], ["a.tif"], "several files belong to"),
    ],
)
def test_folders_that_do_not_pair_are_refused(tmp_path, images, masks, reason):
    folders = touch(tmp_path / "images", *images), touch(tmp_path / "masks", *masks)
    with pytest.raises(ValueError, match=reason):
        pair_folders(*folders)


def test_results_belong_to_the_truth_of_their_image(tmp_path):
    results = touch(tmp_path / "r", "a_objects.tif", "b_classes.npy")
    truth = touch(tmp_path / "t", "b.tif", "a.tif", "c.tif")
    pairs = pair_lists(sorted(results.iterdir()), [truth])
    assert [(a.name, b.name) for a, b in pairs] == [
        ("a_objects.tif", "a.tif"), ("b_classes.npy", "b.tif"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="partner"):
        pair_lists([results], [truth])


def test_lists_of_other_names_pair_in_order(tmp_path):
    touch(tmp_path, "a.tif", "x.tif", "y.tif")
    (pair,) = pair_lists([tmp_path / "a.tif"], [tmp_path / "x.tif"])
    assert names(pair) == ["a.tif", "x.tif"]
    with pytest.raises(ValueError, match="no partner"):
        pair_lists([tmp_path / "a.tif"], [tmp_path / "x.tif", tmp_path / "y.tif"])


def test_a_table_pairs_what_lies_beside_it(tmp_path):
    touch(tmp_path / "in", "a b.tif", "ü.tif")
    (tmp_path / "pairs.csv").write_text("image,mask\nin/a b.tif,in/ü.tif\n", encoding="utf-8")
    assert read_pairs(tmp_path / "pairs.csv") == [
        (tmp_path / "in" / "a b.tif", tmp_path / "in" / "ü.tif")
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a\nx\n", "two columns"), ("a,b\n", "no pairs"), ("a,b\nx,\n", "filled"),
     ("a,b\nno.tif,none.tif\n", "no.tif"), ("", "no table")],
)  # fmt: skip
def test_what_is_no_table_of_pairs_is_refused(tmp_path, text, reason):
    (tmp_path / "pairs.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=reason):
        read_pairs(tmp_path / "pairs.csv")
