struct Emp(u8);

fn family_of<T: mm::MmManaged>(_: &T) {}

fn main() {
    family_of(&Emp(3));
}
